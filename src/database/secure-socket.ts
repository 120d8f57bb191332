/** TLS to PostgreSQL (manual, "SSL Session Encryption"), done here instead of in the driver. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import type { DatabaseConfig } from '../config/config.ts';
import { openSocket } from './socket.ts';

const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const accepted = 'S'.charCodeAt(0);
const timeoutMs = 2000;

/**
 * Rejects when the server has no TLS, fails the checks of `options`, or is silent for two seconds.
 */
export async function openSecureSocket(
  database: DatabaseConfig,
  options: ConnectionOptions,
): Promise<Socket> {
  const plain = openSocket(database);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    plain.write(sslRequest);
    const [answer] = (await once(plain, 'data', { signal })) as [Buffer];
    // More than one byte: an attacker injected plain text before the handshake (CVE-2021-23222).
    if (answer.length !== 1 || answer[0] !== accepted)
      throw refusal('TLS_REFUSED', 'the server offers no TLS');
    plain.removeAllListeners('end');
    const secure = connect({ ...options, socket: plain });
    await once(secure, 'secureConnect', { signal });
    return secure;
  } catch (error) {
    plain.destroy();
    if (signal.aborted) throw refusal('CONNECT_TIMEOUT', 'the server does not answer');
    throw error;
  }
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
