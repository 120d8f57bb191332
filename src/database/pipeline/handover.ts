/**
 * postgres.js makes the connection: TLS, who we are. One statement makes the settings of the session,
 * where there is a session. Then the socket is taken from the driver, and it never hears of that again.
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

/** The driver's listeners. */
const events = ['connect', 'data', 'drain', 'end', 'error', 'close'];
const bufferBytes = 64 * 1024;
const closeTimeoutMs = 1000;

/**
 * Rejects as the driver does: with SQLSTATE, or a code of its own or of the system.
 * @param take is given what the server says from then on. A chunk is written over when it returns.
 * @returns a connection on which nothing is under way and nobody listens to events.
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
    // One buffer for all that comes: Node would make one of 64 KiB for each read.
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
