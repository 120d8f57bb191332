/**
 * What is needed of a request's headers, read in one pass: how often a header occurs is only seen
 * that way, and one pass costs less than asking for each by its name.
 */
import type { HttpRequest } from 'uWebSockets.js';

/** Empty texts: absent, or empty. Of a repeated header the first counts. */
export interface RequestHeaders {
  hosts: number;
  contentLengths: number;
  contentLength: string;
  transferEncodings: number;
  accept: string;
  contentEncoding: string;
  contentType: string;
  idempotencyKey: string;
  ifMatch: string;
  ifNoneMatch: string;
  requestId: string;
}

/** One for all requests: who needs a value later copies it before the handler returns. */
const headers: RequestHeaders = {
  hosts: 0,
  contentLengths: 0,
  contentLength: '',
  transferEncodings: 0,
  accept: '',
  contentEncoding: '',
  contentType: '',
  idempotencyKey: '',
  ifMatch: '',
  ifNoneMatch: '',
  requestId: '',
};

/** @returns the same object each time, filled anew. */
export function readHeaders(request: HttpRequest): Readonly<RequestHeaders> {
  headers.hosts = 0;
  headers.contentLengths = 0;
  headers.contentLength = '';
  headers.transferEncodings = 0;
  headers.accept = '';
  headers.contentEncoding = '';
  headers.contentType = '';
  headers.idempotencyKey = '';
  headers.ifMatch = '';
  headers.ifNoneMatch = '';
  headers.requestId = '';
  request.forEach(takeHeader);
  return headers;
}

/** @param name in lower case: uWebSockets.js made it so. */
function takeHeader(name: string, value: string): void {
  switch (name) {
    case 'host':
      headers.hosts++;
      break;
    case 'content-length':
      headers.contentLengths++;
      headers.contentLength = value;
      break;
    case 'transfer-encoding':
      headers.transferEncodings++;
      break;
    case 'accept':
      headers.accept ||= value;
      break;
    case 'content-encoding':
      headers.contentEncoding ||= value;
      break;
    case 'content-type':
      headers.contentType ||= value;
      break;
    case 'idempotency-key':
      headers.idempotencyKey ||= value;
      break;
    case 'if-match':
      headers.ifMatch ||= value;
      break;
    case 'if-none-match':
      headers.ifNoneMatch ||= value;
      break;
    case 'x-request-id':
      headers.requestId ||= value;
      break;
  }
}
