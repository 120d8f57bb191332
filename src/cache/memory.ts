/** The lists that a front end keeps: the least recently used go first. */
import type { ListEntry } from './list-entry.ts';

export interface MemoryCache {
  get(key: string): ListEntry | undefined;
  /** Takes nothing that is larger than an eighth of the bound. */
  set(key: string, entry: ListEntry): void;
  clear(): void;
  /** Never more than the bound. */
  bytes(): number;
}

/** What an entry takes beside its texts and its body, about: objects and places in the map. */
const overheadBytes = 400;
/** One list must not drive out all others. */
const shareOfOne = 8;

/** @param onEvict told of each entry that made room. */
export function createMemoryCache(bytesMax: number, onEvict: () => void): MemoryCache {
  /** A Map keeps the order of insertion, so the first entry is the least recently used. */
  const entries = new Map<string, ListEntry>();
  let bytes = 0;
  /**
   * The last that was asked for, and so the last of the map. Many at once ask for the same list,
   * and moving an entry in a map costs more than the rest of a hit: a tenth of the rate.
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

/** A string takes up to two bytes a character. */
function sizeOf(key: string, { body, links, etag }: ListEntry): number {
  return body.buffer.byteLength + 2 * (key.length + links.length + etag.length) + overheadBytes;
}
