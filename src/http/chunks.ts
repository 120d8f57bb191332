/**
 * Chunked bodies (RFC 9112, section 7.1). uWebSockets.js decodes them leniently: it takes part of a
 * chunk extension for digits of the size, ignores line ends, and does not know trailers. So it may
 * see another end of a request than a proxy does. That is harmless: while a request is in flight,
 * the parser closes the connection at the next one, and the response to a chunked request closes it
 * too.
 *
 * Each chunk costs a call. 128 KiB in chunks of one byte take as long as that many bytes of short
 * requests (some 100 ms), and uWebSockets.js cannot be interrupted. It reads at most 512 KiB at
 * once.
 *
 * A chunked request is held until its last chunk has arrived. From then on it is handled like one
 * with a Content-Length.
 */
import type { HttpRequest } from 'uWebSockets.js';
import { bodiesHeldMaxBytes, bodyDiscardedMaxBytes, bodyMaxBytes } from '../contract/limits.ts';
import { type Exchange, holdBytes, releaseBytes } from './exchange.ts';

/** The parts of a request that are read after its headers. */
export interface RequestHead {
  getUrl(): string;
  /** `undefined`: no query. The typings of uWebSockets.js do not say so. */
  getQuery(): string | undefined;
  /** The first header of that name, in lower case; empty: none. */
  getHeader(name: string): string;
}

/** A complete chunked body. */
export interface Received {
  /** A lower bound if the body was too large. */
  readonly bytes: number;
  /** `undefined`: the body is too large, or all held bodies together are. */
  readonly body: Uint8Array | undefined;
}

/** Most bodies fit. The buffer doubles when it is full. */
const roomBytes = 4 * 1024;
/** A chunk has at least a digit and two CR LF besides its content. */
const chunkFrameBytes = 5;
const nobody = new Uint8Array(0);

/** A copy: the request is only valid until its handler returns. */
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
 * Must be called in the handler of the request.
 * @param onReceived called once, after the parser has passed the last chunk; never if the client or
 * the parser ends the connection first.
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
    // Next comes a trailer or another request. Left unread, it cannot interfere with the response.
    exchange.response.pause();
    exchange.isPaused = true;
    setImmediate(function passOn() {
      if (!exchange.open) return;
      onReceived({ bytes, body: isKept ? room.subarray(0, bytes) : undefined });
    });
  });

  /** @returns `false`: no room for the chunk. */
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
