/** Connections to PostgreSQL. Every option that matters is written out with its reason. */
import type { Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import type { DatabaseConfig } from '../config/config.ts';
import { spentError } from './connection-lost.ts';
import { openSecureSocket } from './secure-socket.ts';
import { sessionSettings } from './session-settings.ts';
import { openSocket } from './socket.ts';
import { tlsOf } from './tls.ts';

export interface ClientOptions {
  /** Connections; each is opened when it is first needed. */
  readonly max: number;
  /** What `pg_stat_activity` calls them. */
  readonly applicationName: string;
  /** The server cancels a statement after this long; 0: never. */
  readonly statementTimeoutMs: number;
  /** Session settings beyond those that every connection has. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Nothing that belongs to a session is sent or kept, as a pooler wants it: no settings, which
   * whoever connects makes by a statement (session-settings.ts), and no prepared statements.
   */
  readonly isPlain?: boolean;
  /**
   * Told when a connection that was open, or was to be opened, is gone. The client opens no other
   * one then: what still waits in it rejects as certainly not sent.
   */
  readonly onClose?: () => void;
  /** Makes the byte stream, encrypted where it has to be. */
  readonly openSocket?: () => Promise<Socket>;
}

/** A bigint, a numeric and every kind of date or time come back as the text PostgreSQL writes. */
export type Client = Sql<{ timestamps: string }>;

/** A packet that a broken network swallowed is sent again after 1, 3 and 7 s: better to begin anew. */
const connectTimeoutSeconds = 2;
const reconnectFirstSeconds = 0.02;
const reconnectMaxSeconds = 0.5;
const keepAliveSeconds = 15;
/**
 * Where sessions are handed around, one name for all: PgBouncer would tell the server another one, in
 * a round trip of its own, whenever it lends it to somebody else.
 */
const pooledName = 'tasks pooled';

/**
 * Opens no connection by itself. Rejections carry SQLSTATE or the driver's code in `code`; their
 * `query`, `parameters` and `detail` hold values and do not belong into a log.
 */
export function createClient(database: DatabaseConfig, options: ClientOptions): Client {
  let isSpent = false;
  const tls = tlsOf(database);
  const settings = {
    // The driver connects anew at once for what waits, and whoever throws the client away would
    // not know whether that ran in the meantime.
    socket() {
      if (isSpent) throw spentError();
      if (options.openSocket !== undefined) return options.openSocket();
      return tls === false ? openSocket(database) : openSecureSocket(database, tls);
    },
    // For messages; the socket knows where to go.
    host: database.host,
    port: database.port,
    user: database.user,
    // A function, because for an empty text the driver would look into the environment.
    password: () => database.password,
    database: database.name,
    // The driver would not say why a server refuses TLS.
    ssl: false,
    sslnegotiation: null,

    max: options.max,
    // Statements are prepared anew on a new connection, so connections are kept.
    max_lifetime: null,
    idle_timeout: 0,
    connect_timeout: connectTimeoutSeconds,
    keep_alive: keepAliveSeconds,
    backoff: reconnectDelaySeconds,

    prepare: options.isPlain !== true,
    // Statements on their way on one connection; beyond it the driver waits for all of them.
    max_pipeline: 100,
    // Otherwise each connection begins with a catalogue query, whose failure ends the process.
    fetch_types: false,
    types: asText,
    debug: false,
    onnotice: ignore,
    onclose() {
      if (options.onClose === undefined) return;
      isSpent = true;
      options.onClose();
    },

    connection: {
      application_name: database.pooler === undefined ? options.applicationName : pooledName,
      ...(options.isPlain === true ? {} : sessionSettings(options)),
    },
  };
  return postgres(settings);
}

const asTextTypes = [1082, 1083, 1114, 1184, 1266];

/** A Date would lose microseconds and accept days that do not exist: dates and times stay text. */
const asText = {
  timestamps: {
    to: 1184,
    from: asTextTypes,
    parse: (text: string): string => text,
    serialize: (text: unknown): string => String(text),
  },
};

/** A database that comes back is found again within half a second. */
function reconnectDelaySeconds(attempt: number): number {
  return Math.min(reconnectFirstSeconds * 2 ** attempt, reconnectMaxSeconds);
}

function ignore(): void {}
