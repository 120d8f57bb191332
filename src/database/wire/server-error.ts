/** What an ErrorResponse says (PostgreSQL manual, "Error and Notice Message Fields"). */

export interface ServerError extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly severity: string;
}

const severityField = 0x56; // V: the same in every language
const localSeverityField = 0x53; // S: all that a pooler sends in its own name
const codeField = 0x43; // C
const messageField = 0x4d; // M

/** Its detail, hint and place are left out: they carry values. */
export function serverError(bytes: Buffer, from: number, end: number): ServerError {
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
  });
}

/** The server ends the session with it. */
export function isFatal({ severity }: ServerError): boolean {
  return severity === 'FATAL' || severity === 'PANIC';
}
