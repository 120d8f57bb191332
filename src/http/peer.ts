/** Who is at the other end of a connection. */
import type { HttpResponse } from 'uWebSockets.js';
import { isDirect } from '../admin/access.ts';
import type { RequestHead } from './chunks.ts';

/** A program on this machine asks for itself. */
export function isHere(response: HttpResponse, request: RequestHead): boolean {
  return isLoopbackPeer(response) && isDirect((name) => request.getHeader(name));
}

/** 127.0.0.0/8, the same as an IPv6 address, or ::1. */
function isLoopbackPeer(response: HttpResponse): boolean {
  const address = Buffer.from(response.getRemoteAddress());
  if (address.length === 4) return address[0] === 127;
  if (address.length !== 16) return false;
  const head = address.toString('hex', 0, 12);
  if (head === '00000000000000000000ffff') return address[12] === 127;
  return head === '0'.repeat(24) && address.readUInt32BE(12) === 1;
}
