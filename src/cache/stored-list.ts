/**
 * A list in Redis: checksum (4 bytes) | length of the links (4) | links | body. The checksum covers
 * the key too: it detects damage and a reply to another command.
 */
import { crc32 } from 'node:zlib';
import type { Generation } from './generation.ts';
import type { ListEntry } from './list-entry.ts';

const headBytes = 8;
/** Incremented when the format changes, so that old entries are not found. */
const layout = 1;

/** @param query the canonical query. @param prefix for a Redis that other services share. */
export function storedKey({ era, number }: Generation, query: string, prefix: string): string {
  return `${prefix}tasks:list:${layout}:${era}:${number}:${query}`;
}

export function encodeStored(key: string, { links, body }: ListEntry): Buffer {
  const value = Buffer.allocUnsafe(headBytes + links.length + body.length);
  value.writeUInt32LE(links.length, 4);
  value.write(links, headBytes, 'latin1');
  value.set(body, headBytes + links.length);
  value.writeUInt32LE(checksum(key, value), 0);
  return value;
}

/** @returns `undefined` if {@link encodeStored} did not make the value for this key. */
export function decodeStored(
  key: string,
  value: Uint8Array,
): Pick<ListEntry, 'links' | 'body'> | undefined {
  if (value.length < headBytes) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.readUInt32LE(0) !== checksum(key, bytes)) return undefined;
  const bodyOffset = headBytes + bytes.readUInt32LE(4);
  return {
    links: bytes.toString('latin1', headBytes, bodyOffset),
    // A copy: the value may be a view of the parser's larger buffer.
    body: new Uint8Array(bytes.subarray(bodyOffset)),
  };
}

function checksum(key: string, value: Buffer): number {
  return crc32(value.subarray(4), crc32(key));
}
