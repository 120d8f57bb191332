/** The header traceparent (W3C Trace Context, level 1); only the log uses it. */

/** version - trace id - parent id - flags. A later version may append fields after a dash. */
const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/;
/** The exact length in version 00. */
const knownLength = 55;
const zeros = /^0+$/;

/**
 * @param header its value; empty: absent.
 * @returns the trace id; `undefined`: the header is invalid and ignored.
 */
export function traceIdOf(header: string): string | undefined {
  const [, version, traceId, parentId] = pattern.exec(header) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return undefined;
  if (version === 'ff' || (version === '00' && header.length !== knownLength)) return undefined;
  return zeros.test(traceId) || zeros.test(parentId) ? undefined : traceId;
}
