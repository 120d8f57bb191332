/** A connection to one server of Redis. Every option that matters, with its reason. */
import { isIP, connect as openSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as openTls } from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import type { RedisConfig, ServerAddress } from '../../config/config.ts';

/** `undefined`: in plain text. */
export type TlsSettings = ConnectionOptions | undefined;

export interface ConnectionSettings {
  /** Milliseconds to the next attempt; `null`: there is none. */
  readonly retry: () => number | null;
  readonly tls: TlsSettings;
}

const connectTimeoutMs = 500;
/** A server that is frozen does not close its end. */
const disconnectTimeoutMs = 100;

/** Does not log in: greet.ts does, and hears what is refused. */
export function connectTo({ host, port }: ServerAddress, settings: ConnectionSettings): Redis {
  const { retry, tls } = settings;
  return new Redis({
    host,
    port,
    // The connector has it too; this says which event of the socket to wait for.
    ...(tls === undefined ? {} : { tls }),
    Connector: connectorOf(() =>
      tls === undefined
        ? openSocket({ host, port })
        : openTls({ host, port, ...tls, ...nameOf(host) }),
    ),
    // A command fails at once when there is no connection: PostgreSQL has the list as well.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    // INFO and CLIENT are rights that we do without. The probe finds out how the server is.
    enableReadyCheck: false,
    disableClientInfo: true,
    keepAlive: 15_000,
    protocol: 2,
    retryStrategy: retry,
  });
}

/**
 * ioredis hears one error of a socket. A second one, as TLS may bring it where the first was a
 * timeout, would end the process.
 */
function connectorOf(open: () => Socket) {
  return class extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs);
    }

    connect(): Promise<Socket> {
      this.connecting = true;
      const stream = open();
      stream.on('error', (error) => {
        this.firstError = error;
      });
      this.stream = stream;
      return Promise.resolve(stream);
    }
  };
}

export function redisTlsOf({ tls }: RedisConfig): TlsSettings {
  if (tls === null) return undefined;
  return tls.ca === null ? {} : { ca: tls.ca };
}

/** RFC 6066: an address is not a server name. */
function nameOf(host: string): ConnectionOptions {
  return isIP(host) === 0 ? { servername: host } : {};
}
