/** This machine as an address. */
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * 127.0.0.0/8, the same as an IPv6 address, or ::1.
 * @param address of a socket's other end, in any form that IPv6 has. Another text is no address.
 */
export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
