/** Opens the byte stream of a connection to PostgreSQL. */
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DatabaseConfig } from '../config/config.ts';

/** A CancelRequest has 16 bytes; the server answers it by closing the connection. */
const cancelRequestBytes = 16;

/**
 * The driver would connect without TCP_NODELAY, so the second small packet of a statement would
 * wait for the acknowledgement of the first. It would also retry at once and for ever when a proxy
 * closes the connection because its server is down.
 * @param onread receives the data; the socket then emits no 'data' events.
 */
export function openSocket(database: DatabaseConfig, onread?: OnReadOpts): Socket {
  const { host, port } = database;
  const place = isUnixSocket(host)
    ? { path: join(host, `.s.PGSQL.${port}`) }
    : { host, port, noDelay: true };
  const socket = connect(onread === undefined ? place : { ...place, onread });
  socket.once('end', () => {
    if (socket.bytesRead > 0 || socket.bytesWritten === cancelRequestBytes) return;
    // This code means: nothing can have been executed.
    socket.destroy(
      Object.assign(new Error(`${host}:${port} closed the connection without an answer`), {
        code: 'ECONNREFUSED',
      }),
    );
  });
  // The driver's error messages contain host and port.
  return Object.assign(socket, { host, port });
}

/** As in libpq: a host that starts with `/` is the directory of a Unix socket. */
export function isUnixSocket(host: string): boolean {
  return host.startsWith('/');
}
