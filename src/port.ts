/**
 * The port is chosen before a front end is forked: front ends share it, so the system would let
 * a second service share it too; and one that replaces another must get the same.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';

/** Below these are ports of well-known services. */
const anyPortMin = 10_000;
/** Linux's default, and lower than that of the other systems. */
const ephemeralPortMin = 32_768;
const attemptsMax = 50;

/**
 * @param wanted 0 for any free port.
 * @returns a port that nobody listens on. Rejects when any process listens on the wanted one,
 *   sharing it or not.
 */
export async function findPort(wanted: number): Promise<number> {
  if (wanted !== 0) return probe(wanted);
  // Until a front end listens, the system would give a port of its own choice to the next who
  // asks for any, or to an outgoing connection: so it is one that the system never chooses.
  const end = ephemeralPortBegin();
  for (let attempt = 0; attempt < attemptsMax && end > anyPortMin; attempt++) {
    const port = await probe(randomInt(anyPortMin, end)).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return probe(0);
}

function probe(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${wanted} is taken: stop what listens there, or set PORT`)
          : error.code === 'EACCES'
            ? new Error(`port ${wanted} may not be used by this user: set PORT above 1023`)
            : error,
      );
    });
    server.listen({ port: wanted, exclusive: true }, () => {
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
