/** The LRU cache of lists in a front end. */
import type { ListEntry } from './list-entry.ts';

export interface MemoryCache {
  get(key: string): ListEntry | undefined;
  /** Ignores an entry larger than an eighth of the bound. */
  set(key: string, entry: ListEntry): void;
  clear(): void;
  /** At most the bound. */
  bytes(): number;
}

/** The approximate memory of an entry besides its strings and its body. */
const overheadBytes = 400;
/** No list may take more than an eighth of the cache. */
const shareOfOne = 8;

/** @param onEvict called for each entry that is evicted. */
export function createMemoryCache(bytesMax: number, onEvict: () => void): MemoryCache {
  /** A Map keeps insertion order: the first entry is the least recently used. */
  const entries = new Map<string, ListEntry>();
  let bytes = 0;
  /**
   * The most recently used entry, so the last of the map. Many requests in a row read the same
   * list, and moving an entry in the map takes a tenth of the throughput.
   */
  let latestKey: string | undefined;
  let latest: ListEntry | undefined;

  function get(key: string): ListEntry | undefined {
    if (key === latestKey) return latest;
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    entries.delete(key);
    entries.set(key, entry);
    latestKey = key;
    latest = entry;
    return entry;
  }

  function set(key: string, entry: ListEntry): void {
    remove(key);
    const size = sizeOf(key, entry);
    if (size > bytesMax / shareOfOne) return;
    while (bytes + size > bytesMax) {
      remove(entries.keys().next().value!);
      onEvict();
    }
    entries.set(key, entry);
    bytes += size;
  }

  function remove(key: string): void {
    latestKey = undefined;
    latest = undefined;
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    bytes -= sizeOf(key, entry);
  }

  function clear(): void {
    entries.clear();
    latestKey = undefined;
    latest = undefined;
    bytes = 0;
  }

  return { get, set, clear, bytes: () => bytes };
}

/** A string takes up to two bytes for each character. */
function sizeOf(key: string, { body, links, etag }: ListEntry): number {
  return body.buffer.byteLength + 2 * (key.length + links.length + etag.length) + overheadBytes;
}
