/**
 * Parses the framing of responses on one keep-alive connection (RFC 9112), as far as needed:
 * Content-Length, and 204 and 304 without a body. Chunked responses, responses without a length and
 * surplus bytes are errors, because the client would measure something else.
 */

export interface ResponseReader {
  /** Call before each request. `keepBody` keeps the body of the response. */
  begin(keepBody: boolean): void;
  /**
   * @param chunk only valid during the call.
   * @returns true when the response is complete.
   * @throws an Error that says what is wrong with the framing.
   */
  read(chunk: Buffer): boolean;
  status(): number;
  /** The body of a complete response, if it was kept. */
  body(): Buffer;
}

const headMaxBytes = 64 * 1024;
const headEnd = Buffer.from('\r\n\r\n');
const version = Buffer.from('http/1.1 ');
const lineFeed = 10;
const contentLength = Buffer.from('content-length:');
const transferEncoding = Buffer.from('transfer-encoding:');

export function createResponseReader(): ResponseReader {
  /** The bytes of an incomplete head. */
  let partialHead: Buffer | undefined;
  /** Body bytes not received yet; -1 while the head is read. */
  let remaining = -1;
  let status = 0;
  let keepsBody = false;
  let bodyParts: Buffer[] = [];

  function begin(keepBody: boolean): void {
    partialHead = undefined;
    remaining = -1;
    keepsBody = keepBody;
    if (bodyParts.length > 0) bodyParts = [];
  }

  function read(chunk: Buffer): boolean {
    return remaining === -1 ? readHead(chunk) : readBody(chunk, 0);
  }

  function readHead(chunk: Buffer): boolean {
    const head = partialHead === undefined ? chunk : Buffer.concat([partialHead, chunk]);
    const end = head.indexOf(headEnd);
    if (end === -1) {
      if (head.length > headMaxBytes) throw new Error('a response head above 64 KiB');
      // The chunk's buffer is reused after this call.
      partialHead = Buffer.from(head);
      return false;
    }
    status = parseStatus(head);
    remaining = bodyLength(head, end, status);
    return readBody(head, end + headEnd.length);
  }

  function readBody(bytes: Buffer, start: number): boolean {
    const length = bytes.length - start;
    if (length > remaining) throw new Error('more bytes than the response should have');
    if (keepsBody && length > 0) bodyParts.push(Buffer.from(bytes.subarray(start)));
    remaining -= length;
    return remaining === 0;
  }

  return {
    begin,
    read,
    status: () => status,
    body: () => Buffer.concat(bodyParts),
  };
}

function parseStatus(head: Buffer): number {
  const at = version.length;
  const status = (head[at]! - 48) * 100 + (head[at + 1]! - 48) * 10 + (head[at + 2]! - 48);
  if (!startsWith(head, 0, version) || !(status >= 200 && status <= 599)) {
    const start = JSON.stringify(head.toString('latin1', 0, 40));
    throw new Error(`not a final HTTP/1.1 response: ${start}`);
  }
  return status;
}

function bodyLength(head: Buffer, end: number, status: number): number {
  let length = -1;
  for (let line = head.indexOf(lineFeed) + 1; line > 0 && line < end; line = nextLine(head, line)) {
    // Most names start with another letter, so most lines cost one comparison.
    const first = head[line]! | 0x20;
    if (first === 0x63 && startsWith(head, line, contentLength)) {
      if (length !== -1) throw new Error('two Content-Length headers');
      length = parseLength(head, line + contentLength.length);
    } else if (first === 0x74 && startsWith(head, line, transferEncoding)) {
      throw new Error('a Transfer-Encoding: only responses with a Content-Length are read');
    }
  }
  if (status === 204 || status === 304) return 0;
  if (length === -1) throw new Error(`a response ${status} without a Content-Length`);
  return length;
}

function nextLine(head: Buffer, from: number): number {
  let at = from;
  while (head[at] !== lineFeed) at++;
  return at + 1;
}

function startsWith(head: Buffer, at: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) {
    const byte = head[at + index]!;
    const lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
    if (lower !== name[index]) return false;
  }
  return true;
}

function parseLength(head: Buffer, from: number): number {
  let at = from;
  while (head[at] === 32 || head[at] === 9) at++;
  const digits = at;
  let length = 0;
  for (; head[at]! >= 48 && head[at]! <= 57; at++) length = length * 10 + head[at]! - 48;
  if (at === digits || !(head[at] === 13 || head[at] === 32)) {
    throw new Error('a Content-Length that is not a number');
  }
  return length;
}
