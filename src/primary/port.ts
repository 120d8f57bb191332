/**
 * Addresses and port are chosen before a front end is forked: front ends share a port, so the system
 * would let a second service share it too; and one that replaces another must get the same.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { type BindConfig, withoutCovered } from '../config/bind-address.ts';

/** Below these are ports of well-known services. */
const anyPortMin = 10_000;
/** Linux's default, and lower than that of the other systems. */
const ephemeralPortMin = 32_768;
const attemptsMax = 50;
/** Not an address of this machine, no IPv6 here, a link-local address without its interface. */
const absent = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/**
 * @returns what the ports are opened on; never nothing.
 *   Rejects when the machine does not have an address that somebody has named.
 */
export async function findAddresses({
  addresses,
  isDefault,
}: BindConfig): Promise<readonly string[]> {
  const found: string[] = [];
  for (const address of addresses) {
    const error = await bind(0, address).then(
      () => undefined,
      (cause: NodeJS.ErrnoException) => cause,
    );
    if (error === undefined) found.push(address);
    else if (!absent.has(error.code ?? '')) throw error;
    else if (!isDefault) {
      throw new Error(
        `BIND_ADDRESS: this machine has no address ${address} (${error.code}): name one that it has`,
      );
    }
  }
  if (found.length > 0) return withoutCovered(found);
  throw new Error(`this machine has none of the addresses ${addresses.join(', ')}`);
}

/**
 * @param wanted 0 for any free port.
 * @param addresses as {@link findAddresses} has found them.
 * @returns a port on which nobody listens on any of them. Rejects when any process listens on the
 *   wanted one, sharing it or not.
 */
export async function findPort(wanted: number, addresses: readonly string[]): Promise<number> {
  if (wanted !== 0) return probe(wanted, addresses);
  // Until a front end listens, the system would give a port of its own choice to the next who
  // asks for any, or to an outgoing connection: so it is one that the system never chooses.
  const end = ephemeralPortBegin();
  for (let attempt = 0; attempt < attemptsMax && end > anyPortMin; attempt++) {
    const port = await probe(randomInt(anyPortMin, end), addresses).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return probe(await bind(0, addresses[0]!), addresses);
}

async function probe(wanted: number, addresses: readonly string[]): Promise<number> {
  for (const address of addresses) {
    await bind(wanted, address).catch((error: NodeJS.ErrnoException) => {
      throw portErrorOf(error, wanted, address);
    });
  }
  return wanted;
}

function portErrorOf(error: NodeJS.ErrnoException, port: number, address: string): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new Error(`port ${port} is taken on ${address}: stop what listens there, or set PORT`);
    case 'EACCES':
      return new Error(`port ${port} may not be used by this user: set PORT above 1023`);
    default:
      return error;
  }
}

/** @returns the port. Rejects when any process listens there. */
function bind(wanted: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: wanted, host, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** ip(7): where the ports begin that the system chooses by itself. */
function ephemeralPortBegin(): number {
  try {
    const [begin] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    return Number(begin) || ephemeralPortMin;
  } catch {
    return ephemeralPortMin;
  }
}
