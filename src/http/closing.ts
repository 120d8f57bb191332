/**
 * Answers that end their connection. uWebSockets.js can close with an answer that has a body and that the
 * system takes at once; otherwise there would be a moment in which the answer has ended and another request
 * could run. So to uWebSockets.js these never end: until the connection is closed it waits for more of them.
 */
import type { HttpResponse } from 'uWebSockets.js';

/**
 * @param name of the first header. @param rest its value, and more lines, each begun by CR LF.
 */
export function closeWithHead(
  response: HttpResponse,
  statusLine: string,
  name: string,
  rest: string,
): void {
  response.cork(function writeHead() {
    response.writeStatus(statusLine);
    // uWebSockets.js adds the date when an answer ends. The last CR LF makes the empty line.
    response.writeHeader(name, `${rest}\r\nDate: ${new Date().toUTCString()}\r\n`);
  });
  response.close();
}

/**
 * @param writeHead writes status and headers but Content-Length.
 * @param bytes at least one.
 * @param isThere false once the client is gone: the response must not be touched.
 * @param onTaken told when the system has all of it, just before the connection is closed.
 */
export function closeWithBody(
  response: HttpResponse,
  writeHead: () => void,
  bytes: Uint8Array,
  isThere: () => boolean,
  onTaken: () => void,
): void {
  const length = bytes.byteLength;
  let isTaken = false;

  response.cork(function writeBegin() {
    writeHead();
    // Says the length, and leaves the last byte for later: with it the answer would end.
    response.tryEnd(bytes.subarray(0, length - 1), length);
  });
  if (!writeRest()) response.onWritable(writeRest);

  function writeRest(): boolean {
    if (isTaken) return true;
    // One byte more than there is: it waits for that.
    [isTaken] = response.tryEnd(bytes.subarray(response.getWriteOffset()), length + 1);
    // Not here: uWebSockets.js uses the connection once more when this returns.
    if (isTaken) setImmediate(closeTaken);
    return isTaken;
  }

  function closeTaken(): void {
    if (!isThere()) return;
    onTaken();
    response.close();
  }
}
