/** The header traceparent (W3C Trace Context, level 1). It is read only for a line of the log. */

/** version - trace id - parent id - flags; a later version may have more behind another dash. */
const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/;
/** Of version 00, which has nothing more. */
const knownLength = 55;
const zeros = /^0+$/;

/**
 * @param header its value; empty: there is none.
 * @returns the trace id; `undefined`: the header is not valid, and counts as if it was not there.
 */
export function traceIdOf(header: string): string | undefined {
  const [, version, traceId, parentId] = pattern.exec(header) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return undefined;
  if (version === 'ff' || (version === '00' && header.length !== knownLength)) return undefined;
  return zeros.test(traceId) || zeros.test(parentId) ? undefined : traceId;
}
