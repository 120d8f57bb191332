/**
 * Checks a request before it has any effect. uWebSockets.js calls the handler before it checks the
 * framing, and accepts framing that other servers read differently. So this check comes first (RFC
 * 9112, sections 3.2 and 6.3).
 */
import { bodyMaxBytes } from '../contract/limits.ts';
import type { Fault, ProblemCode } from '../contract/problems.ts';
import type { RequestHeaders } from './request-headers.ts';

/** The announced length of a body, or why it is not read. */
export type BodyLength =
  | { readonly bytes: number; readonly problem?: never }
  | { readonly problem: ProblemCode; readonly bytes?: never };

/** Why nothing more on the connection can be trusted. */
export interface FramingFault {
  readonly problem: ProblemCode;
  readonly faults?: readonly [Fault];
}

/** A method with a body and without a length: it is unknown whether a body follows. */
export const noLength: FramingFault = { problem: 'length_required' };
const host = framingFaultOf('Host', 'must be there once and be a host, perhaps with a port');
const contentLength = framingFaultOf('Content-Length', 'must be there once, in decimal digits');
const bothLengths = framingFaultOf('Transfer-Encoding', 'must not be there beside Content-Length');
const noCoding = framingFaultOf('Transfer-Encoding', 'must not be empty');
const lookAlike = framingFaultOf(
  'headers',
  'must not be named Content_Length or Transfer_Encoding',
);
/** uWebSockets.js reads every transfer coding as chunked. */
const otherCoding: FramingFault = { problem: 'not_implemented' };
/** No flag `u`: with it `k` also matches the Kelvin sign. */
const chunked = /^chunked$/i;

function framingFaultOf(field: string, message: string): FramingFault {
  return { problem: 'invalid', faults: [{ code: 'invalid', field, message }] };
}

/**
 * RFC 9110, section 7.2; RFC 3986, section 3.2.2. An empty host is valid (RFC 9112, section 3.2).
 */
const hostPattern =
  /^(?:\[[0-9a-z:.~_%!$&'()*+,;=-]+\]|(?:[0-9a-z.~_!$&'()*+,;=-]|%[0-9a-f]{2})*)(?::\d*)?$/i;

/** @returns a check that reports an ambiguous end or target of a request. */
export function createFramingCheck(): (
  headers: Readonly<RequestHeaders>,
) => FramingFault | undefined {
  /** The last valid host: nearly all requests have the same one, and comparing is cheaper. */
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
 * @param patches the method is PATCH, which also takes merge patches.
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

/** A missing type counts as JSON. Parameters are ignored: JSON has one encoding (RFC 8259). */
function isJson(contentType: string, patches: boolean): boolean {
  if (contentType === '' || contentType === 'application/json') return true;
  const end = contentType.indexOf(';');
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  return type === 'application/json' || (patches && type === 'application/merge-patch+json');
}

function isPlain(contentEncoding: string): boolean {
  return contentEncoding === '' || contentEncoding.toLowerCase() === 'identity';
}
