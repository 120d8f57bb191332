/** Decodes an ErrorResponse (PostgreSQL manual, "Error and Notice Message Fields"). */

export interface ServerError extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly severity: string;
  /** The C function of the server that reported the error; empty: not sent. */
  readonly routine: string;
  /** The name of the violated constraint; empty: none. */
  readonly constraint: string;
  /** The error has a context: most often it arose in a trigger's function. */
  readonly hasContext: boolean;
  /** The statement had been parsed and planned: it was executing. */
  readonly isRunning: boolean;
}

const severityField = 0x56; // V: not localised
const localSeverityField = 0x53; // S: the only severity that a pooler sends for its own errors
const codeField = 0x43; // C
const messageField = 0x4d; // M
const routineField = 0x52; // R
const constraintField = 0x6e; // n
const contextField = 0x57; // W

/**
 * Drops the detail, the hint, the position and the context's text: they carry values of clients.
 */
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
    // A field without a terminator: use the fields before it.
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

/** The server ends the session with this error. */
export function isFatal({ severity }: Pick<ServerError, 'severity'>): boolean {
  return severity === 'FATAL' || severity === 'PANIC';
}
