/**
 * The port is chosen before a front end is forked: front ends share it, so the system would let
 * a second service share it too; and one that replaces another must get the same.
 */
import { type AddressInfo, createServer } from 'node:net';

/**
 * @param wanted 0 for any free port.
 * @returns a port that nobody listens on. Rejects when any process listens on the wanted one,
 *   sharing it or not.
 */
export function findPort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${wanted} is taken: stop what listens there, or set PORT`)
          : error.code === 'EACCES'
            ? new Error(`port ${wanted} may not be used by this user: set PORT above 1023`)
            : error,
      );
    });
    probe.listen({ port: wanted, exclusive: true }, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
