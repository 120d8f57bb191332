/** The remote address of a connection. */
import type { HttpResponse } from 'uWebSockets.js';
import { isDirect } from '../admin/access.ts';
import { isLoopback } from '../base/loopback.ts';
import type { RequestHead } from './chunks.ts';

/** Whether a program on this machine sent the request for itself. */
export function isHere(response: HttpResponse, request: RequestHead): boolean {
  return (
    isLoopback(addressText(response.getRemoteAddress())) &&
    isDirect((name) => request.getHeader(name))
  );
}

/**
 * @param bytes four (IPv4), sixteen (IPv6), or none for a closed connection, which gives no
 * address.
 */
export function addressText(bytes: ArrayBuffer): string {
  const address = Buffer.from(bytes);
  if (address.length === 4) return address.join('.');
  return address.toString('hex').replaceAll(/(.{4})(?=.)/g, '$1:');
}
