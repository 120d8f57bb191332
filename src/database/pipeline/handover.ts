/**
 * Opens a session: postgres.js connects (TLS, authentication), one statement applies the session's
 * settings unless a transaction pooler is between, then the pipeline takes the socket from the
 * driver.
 */
import type { Socket } from 'node:net';
import type { DatabaseConfig } from '../../config/config.ts';
import { type ClientOptions, createClient } from '../client.ts';
import { openSecureSocket } from '../secure-socket.ts';
import { sessionSettings, settingsText } from '../session-settings.ts';
import { openSocket } from '../socket.ts';
import { tlsOf } from '../tls.ts';
import { terminate } from './protocol-messages.ts';

export type SessionOptions = Pick<
  ClientOptions,
  'applicationName' | 'statementTimeoutMs' | 'settings'
>;

/** The events to which the driver listens. */
const events = ['connect', 'data', 'drain', 'end', 'error', 'close'];
const bufferBytes = 64 * 1024;
const closeTimeoutMs = 1000;

/**
 * Rejects as the driver does: `code` is an SQLSTATE, the driver's or the system's code.
 * @param take receives all later data. The chunk is only valid until `take` returns.
 * @returns a socket without statements in flight and without listeners.
 */
export async function connectSession(
  database: DatabaseConfig,
  { applicationName, statementTimeoutMs, settings }: SessionOptions,
  take: (chunk: Buffer) => void,
): Promise<Socket> {
  const tls = tlsOf(database);
  let socket: Socket | undefined;
  let isOurs = false;

  async function open(): Promise<Socket> {
    // One buffer for all reads: Node would allocate 64 KiB for each.
    socket =
      tls === false
        ? openSocket(database, { buffer: Buffer.allocUnsafeSlow(bufferBytes), callback: takeRead })
        : await openSecureSocket(database, tls);
    return socket;
  }

  function takeRead(size: number, buffer: Uint8Array): boolean {
    const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, size);
    if (isOurs) take(chunk);
    else socket!.emit('data', Buffer.from(chunk));
    return true;
  }

  const client = createClient(database, {
    applicationName,
    statementTimeoutMs,
    isPlain: true,
    max: 1,
    openSocket: open,
    onClose: () => undefined,
  });
  try {
    await client.unsafe(
      database.pooler === undefined
        ? settingsText(sessionSettings({ statementTimeoutMs, settings }), 'session')
        : 'SELECT 1',
    );
  } catch (error) {
    client.end({ timeout: 0 }).catch(() => undefined);
    throw error;
  }
  for (const event of events) socket!.removeAllListeners(event);
  isOurs = true;
  if (tls !== false) socket!.on('data', take);
  return socket!;
}

/** Says goodbye. Resolves when the connection is gone, after a second at most. */
export function endSession(open: Socket): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(() => open.destroy(), closeTimeoutMs);
    open.once('close', () => {
      clearTimeout(timer);
      done();
    });
    open.end(terminate);
  });
}
