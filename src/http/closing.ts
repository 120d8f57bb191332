/**
 * Responses that close their connection. uWebSockets.js can only do that at once for a body that
 * the kernel takes whole. Otherwise another request could run after the end of the response. So
 * these responses never end for uWebSockets.js: it waits for more of them until the connection is
 * closed.
 */
import type { HttpResponse } from 'uWebSockets.js';

export interface Closing {
  readonly response: HttpResponse;
  /** The connection is not being read. */
  readonly isPaused: boolean;
  /** False once the client has disconnected: the response must not be used. */
  isThere(): boolean;
  /** Called when the kernel has the whole response, just before the connection is closed. */
  onTaken(): void;
}

/**
 * The delay before the close, in milliseconds. The client may still be sending: the body of a
 * rejected request, or a trailer, which uWebSockets.js does not await. Bytes that reach a closed
 * socket cause a reset, and the client may lose the response (RFC 9112, section 9.6). A round trip
 * is usually shorter than this.
 */
const lingerMs = 200;

/**
 * @param name of the first header. @param rest its value and further lines, each starting with CR
 * LF.
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
    // uWebSockets.js adds Date only when a response ends. The last CR LF makes the empty line.
    response.writeHeader(name, `${rest}\r\nDate: ${new Date().toUTCString()}\r\n`);
  });
  linger(closing);
}

/**
 * @param writeHead writes the status and all headers except Content-Length.
 * @param bytes at least one.
 */
export function closeWithBody(closing: Closing, writeHead: () => void, bytes: Uint8Array): void {
  const { response } = closing;
  const length = bytes.byteLength;
  let isTaken = false;

  response.cork(function writeBegin() {
    writeHead();
    // Announces the length and keeps the last byte: with it the response would end.
    response.tryEnd(bytes.subarray(0, length - 1), length);
  });
  response.cork(function writeEnd() {
    if (!writeRest()) response.onWritable(writeRest);
  });

  function writeRest(): boolean {
    if (isTaken) return true;
    // Announces one byte more than there is, so that uWebSockets.js waits for it.
    [isTaken] = response.tryEnd(bytes.subarray(response.getWriteOffset()), length + 1);
    if (isTaken) linger(closing);
    return isTaken;
  }
}

/** Unread bytes at the close of a connection cause a reset too. */
function linger(closing: Closing): void {
  if (closing.isPaused) closing.response.resume();
  setTimeout(close, lingerMs, closing);
}

function close({ response, isThere, onTaken }: Closing): void {
  if (!isThere()) return;
  onTaken();
  response.close();
}
