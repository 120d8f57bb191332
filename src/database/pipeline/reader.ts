/**
 * Splits the server's byte stream into messages. It copies only the beginning of an incomplete
 * message. The callback must read a message before it returns.
 */

/** @param at the first byte after the length. @param end the byte after the message. */
export type TakeMessage = (type: number, bytes: Buffer, at: number, end: number) => void;

export interface Reader {
  /** @param chunk is only valid until this returns. */
  feed(chunk: Buffer): void;
}

/** The type (1 byte) and the length (4 bytes). */
const headBytes = 5;
/** The length field counts itself. */
const lengthMin = 4;
/** Far more than any row of this service: a longer message is a protocol error. */
const lengthMax = 64 * 1024 * 1024;
const nothing = Buffer.alloc(0);

/**
 * @param take must not throw.
 * @param refuse called once, for an impossible length. Later bytes are dropped.
 */
export function createReader(take: TakeMessage, refuse: () => void): Reader {
  let isRefused = false;
  /** The buffer of an incomplete message. */
  let begun = nothing;
  /** How many bytes of it have arrived. */
  let held = 0;

  /** @returns the index of the first byte that belongs to no complete message. */
  function takeWhole(bytes: Buffer, size: number): number {
    let at = 0;
    while (size - at >= headBytes) {
      const length = lengthAt(bytes, at + 1);
      if (length < lengthMin || length > lengthMax) {
        isRefused = true;
        refuse();
        return size;
      }
      const end = at + 1 + length;
      if (end > size) break;
      take(bytes[at]!, bytes, at + headBytes, end);
      at = end;
    }
    return at;
  }

  function feed(chunk: Buffer): void {
    if (isRefused) return;
    if (held === 0) {
      const taken = takeWhole(chunk, chunk.length);
      if (taken < chunk.length) hold(chunk, taken);
      return;
    }
    hold(chunk, 0);
    const taken = takeWhole(begun, held);
    begun.copyWithin(0, taken, held);
    held -= taken;
  }

  /** Allocates the whole message once, so that many small chunks are not copied repeatedly. */
  function hold(chunk: Buffer, from: number): void {
    const size = held + chunk.length - from;
    if (begun.length < size) {
      const known = held >= headBytes ? 1 + lengthAt(begun, 1) : 0;
      const grown = Buffer.allocUnsafe(Math.max(size, known, 2 * begun.length));
      begun.copy(grown, 0, 0, held);
      begun = grown;
    }
    chunk.copy(begun, held, from);
    held = size;
  }

  return { feed };
}

/** A length in the protocol: four bytes, big-endian; -1: NULL. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
