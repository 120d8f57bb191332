/**
 * Reads the needed headers of a request in one pass. Only that shows repeated headers, and it is
 * cheaper than a lookup for each name.
 */
import type { HttpRequest } from 'uWebSockets.js';

/**
 * Empty: absent or empty. A repeated header counts as one list (RFC 9110, section 5.3): a header
 * that must not be a list is then rejected as an invalid value.
 */
export interface RequestHeaders {
  hosts: number;
  host: string;
  contentLengths: number;
  contentLength: string;
  transferEncodings: number;
  transferEncoding: string;
  /** Headers whose names differ from a framing header only by an underscore. */
  lookAlikes: number;
  accept: string;
  contentEncoding: string;
  contentType: string;
  /** `undefined`: absent. An empty one is invalid: the client failed to set its value. */
  idempotencyKey: string | undefined;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  requestId: string;
  /** As received: see trace-context.ts. */
  traceparent: string;
}

/** The value of a header that occurs more than once: it is invalid for each of them. */
const repeated = ',';

/** @returns a reader that fills and returns the same object each time. */
export function createHeaderReader(): (request: HttpRequest) => Readonly<RequestHeaders> {
  /** Shared by all requests of a server: copy values that are needed after the handler returns. */
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

  /** @param name in lower case: uWebSockets.js converts it. */
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
      // Some proxies treat them as the header with a hyphen.
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
