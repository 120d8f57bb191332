/** What a list request asks for, in the form in which it is compared, sent and answered. */
import { hashText } from './hash.ts';
import { listKindOf, parseListQuery } from './list-query.ts';
import type { Fault } from './problems.ts';

export interface ListKey {
  readonly kind: 'list' | 'search';
  /** The same for queries that ask for the same. */
  readonly text: string;
  /** The same as bytes: what the executor gets. */
  readonly bytes: Uint8Array;
  /** The second part of the ETag. */
  readonly tag: string;
}

export type ListKeyResult =
  | { readonly ok: true; readonly key: ListKey }
  | { readonly ok: false; readonly faults: readonly [Fault, ...Fault[]] };

/** @param raw what stands behind the `?`, undecoded. */
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

/** Bytes of memory that the remembered queries may take, about. */
const rememberedBytesMax = 2 * 1024 * 1024;
/** What an entry takes beside its texts, about. */
const overheadBytes = 400;

/** @returns a parser that remembers: clients ask for the same lists again and again. */
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
