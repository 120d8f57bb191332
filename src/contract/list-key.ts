/** The canonical form of a list request, for comparing, sending and answering. */
import { hashText } from './hash.ts';
import { listKindOf, parseListQuery } from './list-query.ts';
import type { Fault } from './problems.ts';

export interface ListKey {
  readonly kind: 'list' | 'search';
  /** Equal for equivalent queries. */
  readonly text: string;
  /** The UTF-8 bytes of `text`, for the executor. */
  readonly bytes: Uint8Array;
  /** The second part of the ETag. */
  readonly tag: string;
}

export type ListKeyResult =
  | { readonly ok: true; readonly key: ListKey }
  | { readonly ok: false; readonly faults: readonly [Fault, ...Fault[]] };

/** @param raw the text after the `?`, not decoded. */
export function parseListKey(raw: string): ListKeyResult {
  const parsed = parseListQuery(raw);
  if (!parsed.ok) return parsed;
  const text = JSON.stringify(parsed.query);
  return {
    ok: true,
    key: {
      kind: listKindOf(parsed.query),
      text,
      bytes: Buffer.from(text),
      tag: hashText(text).toString(36),
    },
  };
}

/** The approximate memory of all cached queries. */
const rememberedBytesMax = 2 * 1024 * 1024;
/** The approximate memory of an entry besides its strings. */
const overheadBytes = 400;

/** @returns a parser with a cache: clients repeat their queries. */
export function createListKeys(bytesMax = rememberedBytesMax): (raw: string) => ListKeyResult {
  const remembered = new Map<string, ListKeyResult>();
  let bytes = 0;

  return function parseRemembered(raw) {
    const known = remembered.get(raw);
    if (known !== undefined) return known;
    const result = parseListKey(raw);
    if (!result.ok) return result;
    const size = 2 * raw.length + 3 * result.key.text.length + overheadBytes;
    if (bytes + size > bytesMax) {
      remembered.clear();
      bytes = 0;
    }
    remembered.set(raw, result);
    bytes += size;
    return result;
  };
}
