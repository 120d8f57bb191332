/** What a ParameterStatus says (PostgreSQL manual, "Asynchronous Operations"): a setting has changed. */

/** Those that decide what the bytes of a parameter or of a row mean. */
const encodings: ReadonlySet<string> = new Set(['UTF8', 'UNICODE']);

/**
 * @param isPooled each transaction makes the settings of times by itself.
 * @returns false: the session no longer means what we mean.
 */
export function isAsNeeded(bytes: Buffer, at: number, end: number, isPooled: boolean): boolean {
  const [name = '', value = ''] = bytes.toString('latin1', at, end).split('\0');
  switch (name) {
    case 'client_encoding':
      return encodings.has(value.toUpperCase());
    case 'DateStyle':
      return isPooled || value.startsWith('ISO');
    case 'TimeZone':
      return isPooled || value === 'UTC';
    default:
      return true;
  }
}
