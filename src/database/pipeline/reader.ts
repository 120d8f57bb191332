/**
 * Cuts what the server sends into messages. Nothing is copied but the beginning of a message whose
 * end has not come yet: whoever is told of one reads it where it lies, and at once.
 */

/** @param at begins behind the length. @param end behind the last byte. */
export type TakeMessage = (type: number, bytes: Buffer, at: number, end: number) => void;

export interface Reader {
  /** @param chunk may be written over when this returns. */
  feed(chunk: Buffer): void;
}

/** Type and length. */
const headBytes = 5;
/** Of a length, which counts itself. */
const lengthMin = 4;
/** Far beyond any row of ours: what says more is no server, and its bytes are not waited for. */
const lengthMax = 64 * 1024 * 1024;
const nothing = Buffer.alloc(0);

/**
 * @param take throws nothing.
 * @param refuse told once, when a length cannot be one. Nothing is taken any more.
 */
export function createReader(take: TakeMessage, refuse: () => void): Reader {
  let isRefused = false;
  /** Of a message that is not whole. */
  let begun = nothing;
  /** How many of its bytes are there. */
  let held = 0;

  /** @returns the bytes from here on that belong to no whole message. */
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

  /** Room for the whole message is made once, so that one of many chunks is not copied for each. */
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

/** A length in the protocol: four bytes, the most significant first; -1: NULL. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
