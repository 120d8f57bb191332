/** libpq's meanings of `sslmode` (PostgreSQL manual, "SSL Support"), in Node's terms. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { DatabaseConfig } from '../config/config.ts';
import { isUnixSocket } from './socket.ts';

/**
 * `require` encrypts, and checks the chain only where a root certificate is given; `verify-ca`
 * checks the chain; `verify-full` the host's name too. A server without TLS is refused in all
 * three: the driver goes on in plain text only for an `ssl` of `'prefer'`, which we never give.
 * A unix socket has no TLS, as in libpq. Throws when the root certificate cannot be read.
 */
export function tlsOf(database: DatabaseConfig): ConnectionOptions | false {
  const { sslMode, sslRootCert, host } = database;
  if (sslMode === 'disable' || isUnixSocket(host)) return false;
  const common = {
    // RFC 6066: an address is not a server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(sslRootCert === null ? {} : { ca: readFileSync(sslRootCert, 'utf8') }),
  };
  if (sslMode === 'verify-full') {
    return {
      ...common,
      rejectUnauthorized: true,
      // Node would compare the certificate with "localhost" where the host is an address.
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    };
  }
  if (sslMode === 'require' && sslRootCert === null) {
    return { ...common, rejectUnauthorized: false };
  }
  return { ...common, rejectUnauthorized: true, checkServerIdentity: () => undefined };
}
