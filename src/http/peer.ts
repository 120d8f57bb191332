/** Who is at the other end of a connection. */
import type { HttpResponse } from 'uWebSockets.js';
import { isDirect } from '../admin/access.ts';
import { isLoopback } from '../base/loopback.ts';
import type { RequestHead } from './chunks.ts';

/** A program on this machine asks for itself. */
export function isHere(response: HttpResponse, request: RequestHead): boolean {
  return (
    isLoopback(addressText(response.getRemoteAddress())) &&
    isDirect((name) => request.getHeader(name))
  );
}

/** @param bytes four of IPv4, sixteen of IPv6, none of a connection that is gone: that is no address. */
export function addressText(bytes: ArrayBuffer): string {
  const address = Buffer.from(bytes);
  if (address.length === 4) return address.join('.');
  return address.toString('hex').replaceAll(/(.{4})(?=.)/g, '$1:');
}
