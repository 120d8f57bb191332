/** The response to a list request, as the caches keep it. */
import type { Generation } from './generation.ts';

export interface ListEntry {
  /** The generation of the snapshot in which the list was read. */
  readonly generation: number;
  /** The value of the Link header. */
  readonly links: string;
  /** The value of the ETag header. */
  readonly etag: string;
  readonly body: Uint8Array;
}

/** A strong ETag (RFC 9110, section 8.8.3). @param tag identifies the query. */
export function listEtag(generation: number, tag: string): string {
  return `"${generation}-${tag}"`;
}

/** The most other bytes in a list's buffer: they stay in memory as long as the list does. */
const besideMaxBytes = 1024;

/** @returns bytes in a buffer with at most `besideMaxBytes` other bytes; copied if necessary. */
export function apart(bytes: Uint8Array): Uint8Array {
  const beside = bytes.buffer.byteLength - bytes.byteLength;
  return beside <= besideMaxBytes ? bytes : new Uint8Array(bytes);
}

export function isNotOlder(one: Generation, other: Generation): boolean {
  return one.era === other.era && one.number >= other.number;
}
