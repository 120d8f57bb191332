/** Loopback addresses. */
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * Whether an address is 127.0.0.0/8, the same mapped to IPv6, or ::1.
 * @param address a socket's remote address, in any form of IPv6. Other text is not loopback.
 */
export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
