/**
 * Answers that end their connection. uWebSockets.js can close with an answer that has a body and that the
 * system takes at once; otherwise there would be a moment in which the answer has ended and another request
 * could run. So to uWebSockets.js these never end: until the connection is closed it waits for more of them.
 */
import type { HttpResponse } from 'uWebSockets.js';

export interface Closing {
  readonly response: HttpResponse;
  /** The connection is not read. */
  readonly isPaused: boolean;
  /** False once the client is gone: the response must not be touched. */
  isThere(): boolean;
  /** Told when the system has all of the answer, just before the connection is closed. */
  onTaken(): void;
}

/**
 * The client may still send: the body of a request that was refused, or the trailer of chunks, which
 * uWebSockets.js does not wait for. Bytes that reach a closed socket cause a reset, and the client may lose the
 * answer (RFC 9112, section 9.6). A round trip is usually shorter than this.
 */
const lingerMs = 200;

/**
 * @param name of the first header. @param rest its value, and more lines, each begun by CR LF.
 */
export function closeWithHead(
  closing: Closing,
  statusLine: string,
  name: string,
  rest: string,
): void {
  const { response } = closing;
  response.cork(function writeHead() {
    response.writeStatus(statusLine);
    // uWebSockets.js adds the date when an answer ends. The last CR LF makes the empty line.
    response.writeHeader(name, `${rest}\r\nDate: ${new Date().toUTCString()}\r\n`);
  });
  linger(closing);
}

/**
 * @param writeHead writes status and headers but Content-Length.
 * @param bytes at least one.
 */
export function closeWithBody(closing: Closing, writeHead: () => void, bytes: Uint8Array): void {
  const { response } = closing;
  const length = bytes.byteLength;
  let isTaken = false;

  response.cork(function writeBegin() {
    writeHead();
    // Says the length, and leaves the last byte for later: with it the answer would end.
    response.tryEnd(bytes.subarray(0, length - 1), length);
  });
  response.cork(function writeEnd() {
    if (!writeRest()) response.onWritable(writeRest);
  });

  function writeRest(): boolean {
    if (isTaken) return true;
    // One byte more than there is: it waits for that.
    [isTaken] = response.tryEnd(bytes.subarray(response.getWriteOffset()), length + 1);
    if (isTaken) linger(closing);
    return isTaken;
  }
}

/** What is not read when a connection closes causes a reset as well. */
function linger(closing: Closing): void {
  if (closing.isPaused) closing.response.resume();
  setTimeout(close, lingerMs, closing);
}

function close({ response, isThere, onTaken }: Closing): void {
  if (!isThere()) return;
  onTaken();
  response.close();
}
