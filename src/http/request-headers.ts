/**
 * What is needed of a request's headers, read in one pass: how often a header occurs is only seen
 * that way, and one pass costs less than asking for each by its name.
 */
import type { HttpRequest } from 'uWebSockets.js';

/**
 * Empty texts: absent, or empty. A repeated header is one list (RFC 9110, section 5.3): what may not
 * be a list is then refused like any other value that does not fit.
 */
export interface RequestHeaders {
  hosts: number;
  host: string;
  contentLengths: number;
  contentLength: string;
  transferEncodings: number;
  transferEncoding: string;
  /** Names that differ from one that frames a request by an underscore. */
  lookAlikes: number;
  accept: string;
  contentEncoding: string;
  contentType: string;
  /** Not there is `undefined`: who sends one that is empty has lost what it was to say. */
  idempotencyKey: string | undefined;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  requestId: string;
  /** As it came: see trace-context.ts. */
  traceparent: string;
}

/** In place of a header that came more than once: it is no valid one. */
const repeated = ',';

/** @returns a reader that gives the same object each time, filled anew. */
export function createHeaderReader(): (request: HttpRequest) => Readonly<RequestHeaders> {
  /** One for all requests of a server: who needs a value later copies it before the handler returns. */
  const headers: RequestHeaders = {
    hosts: 0,
    host: '',
    contentLengths: 0,
    contentLength: '',
    transferEncodings: 0,
    transferEncoding: '',
    lookAlikes: 0,
    accept: '',
    contentEncoding: '',
    contentType: '',
    idempotencyKey: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    requestId: '',
    traceparent: '',
  };

  function readHeaders(request: HttpRequest): Readonly<RequestHeaders> {
    headers.hosts = 0;
    headers.host = '';
    headers.contentLengths = 0;
    headers.contentLength = '';
    headers.transferEncodings = 0;
    headers.transferEncoding = '';
    headers.lookAlikes = 0;
    headers.accept = '';
    headers.contentEncoding = '';
    headers.contentType = '';
    headers.idempotencyKey = undefined;
    headers.ifMatch = undefined;
    headers.ifNoneMatch = undefined;
    headers.requestId = '';
    headers.traceparent = '';
    request.forEach(takeHeader);
    return headers;
  }

  /** @param name in lower case: uWebSockets.js made it so. */
  function takeHeader(name: string, value: string): void {
    switch (name) {
      case 'host':
        headers.hosts++;
        headers.host = value;
        break;
      case 'content-length':
        headers.contentLengths++;
        headers.contentLength = value;
        break;
      case 'transfer-encoding':
        headers.transferEncodings++;
        headers.transferEncoding = value;
        break;
      // Some proxies take them for the names that they look like.
      case 'content_length':
      case 'transfer_encoding':
        headers.lookAlikes++;
        break;
      case 'accept':
        headers.accept = joined(headers.accept, value);
        break;
      case 'content-encoding':
        headers.contentEncoding = joined(headers.contentEncoding, value);
        break;
      case 'content-type':
        headers.contentType = joined(headers.contentType, value);
        break;
      case 'idempotency-key':
        headers.idempotencyKey = joined(headers.idempotencyKey, value);
        break;
      case 'if-match':
        headers.ifMatch = joined(headers.ifMatch, value);
        break;
      case 'if-none-match':
        headers.ifNoneMatch = joined(headers.ifNoneMatch, value);
        break;
      case 'x-request-id':
        headers.requestId = joined(headers.requestId, value);
        break;
      case 'traceparent':
        headers.traceparent = headers.traceparent === '' && value !== '' ? value : repeated;
        break;
    }
  }

  return readHeaders;
}

function joined(before: string | undefined, value: string): string {
  return before === undefined || before === '' ? value : `${before}, ${value}`;
}
