/** What an ErrorResponse says (PostgreSQL manual, "Error and Notice Message Fields"). */

export interface ServerError extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly severity: string;
  /** The function of the server's source that reported it; empty: not said. */
  readonly routine: string;
  /** The name of the constraint that was violated; empty: none. */
  readonly constraint: string;
  /** It arose inside of something: most often a function that a trigger called. */
  readonly hasContext: boolean;
  /** The statement had been parsed and planned: the rows were at work. */
  readonly isRunning: boolean;
}

const severityField = 0x56; // V: the same in every language
const localSeverityField = 0x53; // S: all that a pooler sends in its own name
const codeField = 0x43; // C
const messageField = 0x4d; // M
const routineField = 0x52; // R
const constraintField = 0x6e; // n
const contextField = 0x57; // W

/** Its detail, hint, place and the text of its context are left out: they carry values. */
export function serverError(
  bytes: Buffer,
  from: number,
  end: number,
  isRunning = false,
): ServerError {
  const fields = new Map<number, string>();
  let at = from;
  while (at < end && bytes[at] !== 0) {
    const zero = bytes.indexOf(0, at + 1);
    // A field without an end: what there is has to do.
    if (zero === -1 || zero >= end) break;
    fields.set(bytes[at]!, bytes.toString('utf8', at + 1, zero));
    at = zero + 1;
  }
  return Object.assign(new Error(fields.get(messageField) ?? 'unknown'), {
    code: fields.get(codeField) ?? 'XX000',
    severity: fields.get(severityField) ?? fields.get(localSeverityField) ?? 'ERROR',
    routine: fields.get(routineField) ?? '',
    constraint: fields.get(constraintField) ?? '',
    hasContext: fields.has(contextField),
    isRunning,
  });
}

/** The server ends the session with it. */
export function isFatal({ severity }: Pick<ServerError, 'severity'>): boolean {
  return severity === 'FATAL' || severity === 'PANIC';
}
