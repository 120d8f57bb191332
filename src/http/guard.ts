/**
 * What a request must be before it has any effect. uWebSockets.js runs the handler before it
 * looks at the framing, and takes some that another server reads in another way; so this comes
 * first (RFC 9112, sections 3.2 and 6.3).
 */
import { bodyMaxBytes } from '../contract/limits.ts';
import type { Fault, ProblemCode } from '../contract/problems.ts';
import type { RequestHeaders } from './request-headers.ts';

/** The length that a body says it has, or why it is not read. */
export type BodyLength =
  | { readonly bytes: number; readonly problem?: never }
  | { readonly problem: ProblemCode; readonly bytes?: never };

/** Why nothing on the connection can be trusted from here on. */
export interface FramingFault {
  readonly problem: ProblemCode;
  readonly faults?: readonly [Fault];
}

/** A body method that says no length: nobody knows whether a body stands behind it. */
export const noLength: FramingFault = { problem: 'length_required' };
const host = framingFaultOf('Host', 'must be there once and be a host, perhaps with a port');
const contentLength = framingFaultOf('Content-Length', 'must be there once, in decimal digits');
const bothLengths = framingFaultOf('Transfer-Encoding', 'must not be there beside Content-Length');
const noCoding = framingFaultOf('Transfer-Encoding', 'must not be empty');
const lookAlike = framingFaultOf(
  'headers',
  'must not be named Content_Length or Transfer_Encoding',
);
/** uWebSockets.js reads every coding as if it were chunked. */
const otherCoding: FramingFault = { problem: 'not_implemented' };
/** Without the flag `u`: with it, a letter beyond ASCII would be the same as `k`. */
const chunked = /^chunked$/i;

function framingFaultOf(field: string, message: string): FramingFault {
  return { problem: 'invalid', faults: [{ code: 'invalid', field, message }] };
}

/** RFC 9110, section 7.2; RFC 3986, section 3.2.2. An empty host is one (RFC 9112, section 3.2). */
const hostPattern =
  /^(?:\[[0-9a-z:.~_%!$&'()*+,;=-]+\]|(?:[0-9a-z.~_!$&'()*+,;=-]|%[0-9a-f]{2})*)(?::\d*)?$/i;

/** @returns a check that says what makes it doubtful where a request ends or for whom it is. */
export function createFramingCheck(): (
  headers: Readonly<RequestHeaders>,
) => FramingFault | undefined {
  /** The last host that fitted: nearly every request names the same, and comparing is cheaper. */
  let lastHost = '';

  function checkFraming(headers: Readonly<RequestHeaders>): FramingFault | undefined {
    if (headers.hosts !== 1 || !isHost(headers.host)) return host;
    if (headers.lookAlikes > 0) return lookAlike;
    if (headers.contentLengths > 0) {
      if (headers.transferEncodings > 0) return bothLengths;
      if (headers.contentLengths > 1 || !/^\d+$/.test(headers.contentLength)) return contentLength;
    }
    return headers.transferEncodings > 0 ? checkCoding(headers) : undefined;
  }

  function isHost(value: string): boolean {
    if (value === lastHost) return true;
    if (!hostPattern.test(value)) return false;
    lastHost = value;
    return true;
  }

  return checkFraming;
}

function checkCoding(headers: Readonly<RequestHeaders>): FramingFault | undefined {
  if (headers.transferEncoding === '') return noCoding;
  const isOne = headers.transferEncodings === 1;
  return isOne && chunked.test(headers.transferEncoding) ? undefined : otherCoding;
}

/**
 * @param patches PATCH also takes merge patches.
 * @returns the announced length of a body that may be read.
 */
export function checkBody(headers: Readonly<RequestHeaders>, patches: boolean): BodyLength {
  const { contentLength: length, contentType, contentEncoding } = headers;
  if (length === '') return { problem: 'length_required' };
  if (!isJson(contentType, patches) || !isPlain(contentEncoding)) {
    return { problem: 'unsupported_media_type' };
  }
  const bytes = Number(length);
  return bytes > bodyMaxBytes ? { problem: 'payload_too_large' } : { bytes };
}

/** A missing type counts as JSON. Parameters do not matter: JSON has one encoding (RFC 8259). */
function isJson(contentType: string, patches: boolean): boolean {
  if (contentType === '' || contentType === 'application/json') return true;
  const end = contentType.indexOf(';');
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  return type === 'application/json' || (patches && type === 'application/merge-patch+json');
}

function isPlain(contentEncoding: string): boolean {
  return contentEncoding === '' || contentEncoding.toLowerCase() === 'identity';
}
