/** Front ends share their port, so the system lets a second service share it too: ask first. */
import { createServer } from 'node:net';

/** Rejects when any process listens on the port, sharing or not. */
export function assertPortFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} is taken: stop what listens there, or set PORT`)
          : error.code === 'EACCES'
            ? new Error(`port ${port} may not be used by this user: set PORT above 1023`)
            : error,
      );
    });
    probe.listen({ port, exclusive: true }, () => probe.close(() => resolve()));
  });
}
