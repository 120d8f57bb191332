/**
 * BIND_ADDRESS: which addresses of the machine the ports are opened on. Names are refused: one may
 * stand for several addresses, or for another one tomorrow, and each has to be looked at.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

export interface BindConfig {
  /** In the form in which they are compared, each once. */
  readonly addresses: readonly string[];
  /** Nobody has named them: those that the machine does not have are left out. */
  readonly isDefault: boolean;
}

const loopback = ['127.0.0.1', '::1'] as const;
/** Every address of the machine. */
export const everywhere = ['0.0.0.0', '::'] as const;

/** @param isOpen without a list: every address, otherwise loopback. */
export function bindOf(given: string, isOpen: boolean, faults: string[]): BindConfig {
  if (given === '') return { addresses: isOpen ? everywhere : loopback, isDefault: true };
  const listed = given.split(',').map((address) => address.trim());
  const wrong = listed.findIndex((address) => isIP(address) === 0);
  if (wrong >= 0) {
    // By its place: whoever mixes variables up may have written a secret here.
    faults.push(
      'BIND_ADDRESS: expected addresses of this machine, such as 127.0.0.1,::1 or 0.0.0.0, without ' +
        `name, port or brackets; got another text as number ${wrong + 1} of ${listed.length}`,
    );
  }
  return { addresses: wrong >= 0 ? [] : withoutCovered(listed.map(canonical)), isDefault: false };
}

/** A socket on every address would find the port taken by one on a single address, and the reverse. */
export function withoutCovered(addresses: readonly string[]): readonly string[] {
  // It takes IPv4 too.
  if (addresses.includes('::')) return ['::'];
  const isOpen = addresses.includes('0.0.0.0');
  return [...new Set(addresses)].filter(
    (address) => !isOpen || address === '0.0.0.0' || isIPv6(address),
  );
}

/** For the log. */
export function describeAddresses(addresses: readonly string[]): string {
  const words: Readonly<Record<string, string>> = {
    '::': 'every address, IPv4 and IPv6',
    '0.0.0.0': 'every address of IPv4',
  };
  return addresses.map((address) => words[address] ?? address).join(', ');
}

/** One address has many forms in IPv6, and that of IPv4 among them. */
function canonical(address: string): string {
  if (isIPv4(address) || address.includes('%')) return address;
  const shortest = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(shortest) ?? [];
  if (high === undefined || low === undefined) return shortest;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(Number.parseInt(high, 16), 0);
  bytes.writeUInt16BE(Number.parseInt(low, 16), 2);
  return [...bytes].join('.');
}
