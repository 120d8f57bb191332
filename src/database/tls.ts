/** The meanings of libpq's `sslmode` (PostgreSQL manual, "SSL Support") for Node. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { DatabaseConfig } from '../config/config.ts';
import { isUnixSocket } from './socket.ts';

/**
 * `require` encrypts, and checks the chain only with a root certificate. `verify-ca` checks the
 * chain. `verify-full` also checks the host name. All three refuse a server without TLS: the driver
 * falls back to plain text only for `ssl: 'prefer'`, which is never set. A Unix socket has no TLS,
 * as in libpq.
 * @throws when the root certificate cannot be read.
 */
export function tlsOf(database: DatabaseConfig): ConnectionOptions | false {
  const { sslMode, sslRootCert, host } = database;
  if (sslMode === 'disable' || isUnixSocket(host)) return false;
  const common = {
    // RFC 6066: an IP address is not a server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(sslRootCert === null ? {} : { ca: readFileSync(sslRootCert, 'utf8') }),
  };
  if (sslMode === 'verify-full') {
    return {
      ...common,
      rejectUnauthorized: true,
      // For an IP address Node would compare the certificate with "localhost".
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    };
  }
  if (sslMode === 'require' && sslRootCert === null) {
    return { ...common, rejectUnauthorized: false };
  }
  return { ...common, rejectUnauthorized: true, checkServerIdentity: () => undefined };
}
