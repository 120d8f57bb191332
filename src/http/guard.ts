/**
 * What a request must be before it has any effect. uWebSockets.js runs the handler before it
 * looks at the framing, so this comes first.
 */
import type { HttpRequest } from 'uWebSockets.js';
import { bodyMaxBytes, urlMaxBytes } from '../contract/limits.ts';
import type { ProblemCode } from '../contract/problems.ts';

/** The length that a body says it has, or why it is not read. */
export type BodyLength =
  | { readonly bytes: number; readonly problem?: never }
  | { readonly problem: ProblemCode; readonly bytes?: never };

/** No body is read in chunks: where a chunked request ends cannot be known in time. */
export function isChunked(request: HttpRequest): boolean {
  return request.getHeader('transfer-encoding') !== '';
}

export function isUrlTooLong(path: string, query: string): boolean {
  return path.length + query.length + 1 > urlMaxBytes;
}

/** @returns the announced length of a body that may be read. */
export function checkBody(request: HttpRequest, isPatch: boolean): BodyLength {
  const length = request.getHeader('content-length');
  if (length === '') return { problem: 'length_required' };
  if (!isJson(request.getHeader('content-type'), isPatch))
    return { problem: 'unsupported_media_type' };
  if (!/^\d{1,15}$/.test(length)) return { problem: 'payload_too_large' };
  const bytes = Number(length);
  return bytes > bodyMaxBytes ? { problem: 'payload_too_large' } : { bytes };
}

/** A missing type counts as JSON. Parameters do not matter: JSON has one encoding (RFC 8259). */
function isJson(contentType: string, isPatch: boolean): boolean {
  if (contentType === '' || contentType === 'application/json') return true;
  const end = contentType.indexOf(';');
  const type = end < 0 ? contentType : contentType.slice(0, end);
  const name = type.trim().toLowerCase();
  return name === 'application/json' || (isPatch && name === 'application/merge-patch+json');
}
