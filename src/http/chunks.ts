/**
 * Bodies in chunks (RFC 9112, section 7.1). uWebSockets.js decodes them, and is lenient: it takes part
 * of an extension for digits of the size, looks at no line end, and does not know trailers. So it may see
 * another end of a request than a proxy did. That is harmless: while a request waits for its answer, the
 * parser closes the connection over the next one, and the answer of a request in chunks closes it too.
 *
 * A chunk costs a call, so 128 KiB in chunks of one byte take as long as that many bytes of short requests
 * (some 100 ms), and uWebSockets.js cannot be stopped meanwhile. It reads 512 KiB at once at most.
 *
 * Such a request is held until its last chunk has come, and then goes the way of one with a length.
 */
import type { HttpRequest } from 'uWebSockets.js';
import { bodiesHeldMaxBytes, bodyDiscardedMaxBytes, bodyMaxBytes } from '../contract/limits.ts';
import { type Exchange, holdBytes, releaseBytes } from './exchange.ts';

/** What is asked of a request once its headers were read. */
export interface RequestHead {
  getUrl(): string;
  /** `undefined`: there is none, though the typings of uWebSockets.js do not say so. */
  getQuery(): string | undefined;
  /** The first one of that name, in lower case; empty: none. */
  getHeader(name: string): string;
}

/** What came in chunks. */
export interface Received {
  /** At least, when there was too much. */
  readonly bytes: number;
  /** `undefined`: it is too large, alone or with all the others. */
  readonly body: Uint8Array | undefined;
}

/** Most bodies fit; it doubles. */
const roomBytes = 4 * 1024;
/** On the wire a chunk has at least a digit and two line ends beside its content. */
const chunkFrameBytes = 5;
const nobody = new Uint8Array(0);

/** uWebSockets.js takes the request back when its handler returns. */
export function keepHead(request: HttpRequest): RequestHead {
  const url = request.getUrl();
  const query = request.getQuery();
  const headers = new Map<string, string>();
  request.forEach((name, value) => {
    if (!headers.has(name)) headers.set(name, value);
  });
  return {
    getUrl: () => url,
    getQuery: () => query,
    getHeader: (name) => headers.get(name) ?? '',
  };
}

/**
 * Call it in the handler of the request.
 * @param onReceived called once, when the parser has gone past what came with the last chunk; never, when
 *   the client or the parser ends the connection first.
 */
export function readChunks(exchange: Exchange, onReceived: (received: Received) => void): void {
  let room: Uint8Array = nobody;
  let bytes = 0;
  let isKept = true;
  let discardable = bodyDiscardedMaxBytes;
  let isOver = false;

  exchange.response.onData(function takeChunk(chunk, isLast) {
    if (isOver) return;
    if (isKept && !keep(chunk)) letGo();
    bytes += chunk.byteLength;
    if (!isKept) discardable -= chunk.byteLength + chunkFrameBytes;
    if (!isLast && discardable > 0) return;
    isOver = true;
    // What comes now is a trailer or another request. Unread, it cannot take the place of the answer.
    exchange.response.pause();
    exchange.isPaused = true;
    setImmediate(function passOn() {
      if (!exchange.open) return;
      onReceived({ bytes, body: isKept ? room.subarray(0, bytes) : undefined });
    });
  });

  /** @returns `false`: there is no room for it. */
  function keep(chunk: ArrayBuffer): boolean {
    const needed = bytes + chunk.byteLength;
    if (needed > bodyMaxBytes) return false;
    if (needed > room.length) {
      const size = Math.min(bodyMaxBytes, Math.max(needed, 2 * room.length, roomBytes));
      if (!holdBytes(exchange, size - room.length, bodiesHeldMaxBytes)) return false;
      const larger = Buffer.allocUnsafe(size);
      larger.set(room.subarray(0, bytes));
      room = larger;
    }
    room.set(new Uint8Array(chunk), bytes);
    return true;
  }

  function letGo(): void {
    isKept = false;
    room = nobody;
    releaseBytes(exchange);
  }
}
