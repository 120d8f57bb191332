/** Opens a connection to one Redis server. Each option states its reason. */
import { isIP, connect as openSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as openTls } from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import type { RedisConfig, ServerAddress } from '../../config/config.ts';

/** `undefined`: plain text. */
export type TlsSettings = ConnectionOptions | undefined;

export interface ConnectionSettings {
  /** Milliseconds until the next attempt; `null`: no further attempt. */
  readonly retry: () => number | null;
  readonly tls: TlsSettings;
}

const connectTimeoutMs = 500;
/** A frozen server does not close its side of the connection. */
const disconnectTimeoutMs = 100;

/** Does not authenticate: greet.ts does, and sees the server's refusal. */
export function connectTo({ host, port }: ServerAddress, settings: ConnectionSettings): Redis {
  const { retry, tls } = settings;
  return new Redis({
    host,
    port,
    // ioredis waits for 'secureConnect' instead of 'connect' if this is set.
    ...(tls === undefined ? {} : { tls }),
    Connector: connectorOf(() =>
      tls === undefined
        ? openSocket({ host, port })
        : openTls({ host, port, ...tls, ...nameOf(host) }),
    ),
    // Without a connection a command fails at once: PostgreSQL has the list too.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    // Needs no privileges for INFO and CLIENT. The probe checks the server instead.
    enableReadyCheck: false,
    disableClientInfo: true,
    keepAlive: 15_000,
    protocol: 2,
    retryStrategy: retry,
  });
}

/**
 * ioredis handles one error of a socket. TLS may cause a second one after a timeout, which would
 * end the process.
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

/** RFC 6066: an IP address is not a server name. */
function nameOf(host: string): ConnectionOptions {
  return isIP(host) === 0 ? { servername: host } : {};
}
