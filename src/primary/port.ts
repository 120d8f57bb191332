/**
 * Chooses addresses and port before the first fork. Front ends share a port, so the system would
 * let a second service share it too; and a replacement must get the same port.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { type BindConfig, withoutCovered } from '../config/bind-address.ts';

/** Lower ports belong to well-known services. */
const anyPortMin = 10_000;
/** Linux's default; the defaults of other systems are higher. */
const ephemeralPortMin = 32_768;
const attemptsMax = 50;
/** Not an address of this machine, no IPv6, or a link-local address without its interface. */
const absent = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/**
 * @returns the addresses to listen on; at least one.
 * Rejects when the machine lacks an address that the operator configured.
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
 * @param addresses the result of {@link findAddresses}.
 * @returns a port that is free on all of them. Rejects when a process listens on the wanted port,
 * whether it shares it or not.
 */
export async function findPort(wanted: number, addresses: readonly string[]): Promise<number> {
  if (wanted !== 0) return probe(wanted, addresses);
  // Until a front end listens, the kernel could assign an ephemeral port to another process or to
  // an outgoing connection. So the port is below that range.
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

/** @returns the port. Rejects when a process listens there. */
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

/** ip(7): the start of the range from which the kernel assigns ports. */
function ephemeralPortBegin(): number {
  try {
    const [begin] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    return Number(begin) || ephemeralPortMin;
  } catch {
    return ephemeralPortMin;
  }
}
