/**
 * Checks a ParameterStatus (PostgreSQL manual, "Asynchronous Operations"): a setting has changed.
 */

/** The settings that decide how to read and write values. */
const encodings: ReadonlySet<string> = new Set(['UTF8', 'UNICODE']);

/**
 * @param isPooled each transaction applies the settings of timestamps itself.
 * @returns false: values in this session would be misread.
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
