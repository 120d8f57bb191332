/** The byte stream under a connection to PostgreSQL. */
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DatabaseConfig } from '../config/config.ts';

/** A CancelRequest has 16 bytes, and the server answers it with nothing but the end. */
const cancelRequestBytes = 16;

/**
 * Connects. The driver could do it, but without TCP_NODELAY, so that a statement's second small
 * packet waits for the acknowledgement of the first; and it tries again at once and for ever
 * when a server closes without a word, as a proxy does whose server is away.
 * @param onread is given what comes, and then there is no event of it.
 */
export function openSocket(database: DatabaseConfig, onread?: OnReadOpts): Socket {
  const { host, port } = database;
  const place = isUnixSocket(host)
    ? { path: join(host, `.s.PGSQL.${port}`) }
    : { host, port, noDelay: true };
  const socket = connect(onread === undefined ? place : { ...place, onread });
  socket.once('end', () => {
    if (socket.bytesRead > 0 || socket.bytesWritten === cancelRequestBytes) return;
    // The code says what it amounts to: nothing can have been executed.
    socket.destroy(
      Object.assign(new Error(`${host}:${port} closed the connection without an answer`), {
        code: 'ECONNREFUSED',
      }),
    );
  });
  // The driver names them in its errors.
  return Object.assign(socket, { host, port });
}

/** As libpq has it: a host that begins with `/` is the directory of a unix socket. */
export function isUnixSocket(host: string): boolean {
  return host.startsWith('/');
}
