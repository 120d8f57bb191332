/** Reads a body into one buffer. A chunk is only valid during its callback, so it is copied. */
import type { HttpResponse } from 'uWebSockets.js';

/**
 * @param bytes the Content-Length: uWebSockets.js delivers exactly as many.
 * @param onBody called once with the whole body; never if the client disconnects first.
 */
export function readBody(
  response: HttpResponse,
  bytes: number,
  onBody: (body: Uint8Array) => void,
): void {
  let body: Uint8Array | undefined;
  let filled = 0;
  response.onData(function takeChunk(chunk, isLast) {
    body ??= Buffer.allocUnsafe(bytes);
    if (filled + chunk.byteLength <= bytes) body.set(new Uint8Array(chunk), filled);
    filled += chunk.byteLength;
    if (isLast) onBody(filled === bytes ? body : body.subarray(0, Math.min(filled, bytes)));
  });
}
