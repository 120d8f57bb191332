/**
 * BIND_ADDRESS: the addresses on which the ports listen. Host names are rejected: a name may
 * resolve to several addresses, or to another one tomorrow.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

export interface BindConfig {
  /** In canonical form, without duplicates. */
  readonly addresses: readonly string[];
  /** The defaults: addresses that the machine lacks are left out. */
  readonly isDefault: boolean;
}

const loopback = ['127.0.0.1', '::1'] as const;
/** Every address of the machine. */
export const everywhere = ['0.0.0.0', '::'] as const;

/** @param isOpen the default without a list: every address, otherwise loopback. */
export function bindOf(given: string, isOpen: boolean, faults: string[]): BindConfig {
  if (given === '') return { addresses: isOpen ? everywhere : loopback, isDefault: true };
  const listed = given.split(',').map((address) => address.trim());
  const wrong = listed.findIndex((address) => isIP(address) === 0);
  if (wrong >= 0) {
    // Names the position only: the value may be a secret set in the wrong variable.
    faults.push(
      'BIND_ADDRESS: expected addresses of this machine, such as 127.0.0.1,::1 or 0.0.0.0, without ' +
        `name, port or brackets; got another text as number ${wrong + 1} of ${listed.length}`,
    );
  }
  return { addresses: wrong >= 0 ? [] : withoutCovered(listed.map(canonical)), isDefault: false };
}

/** Removes addresses that a wildcard covers, because both could not listen on the same port. */
export function withoutCovered(addresses: readonly string[]): readonly string[] {
  // `::` accepts IPv4 too.
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

/** An IPv6 address has many forms, IPv4-mapped ones among them. */
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
