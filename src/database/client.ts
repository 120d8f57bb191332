/** Opens connections to PostgreSQL with postgres.js. Each option states its reason. */
import type { Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import type { DatabaseConfig } from '../config/config.ts';
import { spentError } from './connection-lost.ts';
import { openSecureSocket } from './secure-socket.ts';
import { sessionSettings } from './session-settings.ts';
import { openSocket } from './socket.ts';
import { tlsOf } from './tls.ts';

export interface ClientOptions {
  /** The most connections; each opens when it is first needed. */
  readonly max: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** The server cancels a statement after this long; 0: never. */
  readonly statementTimeoutMs: number;
  /** Settings beyond those of every session. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * For poolers: no session settings and no prepared statements. The caller sends its settings with
   * a statement (session-settings.ts).
   */
  readonly isPlain?: boolean;
  /**
   * Called when a connection is lost or could not be opened. The client opens no other one, and
   * what still waits in it rejects as not sent.
   */
  readonly onClose?: () => void;
  /** Opens the byte stream, encrypted where TLS is configured. */
  readonly openSocket?: () => Promise<Socket>;
}

/** bigint, numeric, date and time values arrive as PostgreSQL's text. */
export type Client = Sql<{ timestamps: string }>;

/** TCP repeats a lost SYN packet after 1, 3 and 7 s: a new attempt is faster. */
const connectTimeoutSeconds = 2;
const reconnectFirstSeconds = 0.02;
const reconnectMaxSeconds = 0.5;
const keepAliveSeconds = 15;
/**
 * One application name for all connections behind a transaction pooler. With several names,
 * PgBouncer would change the name in an extra round trip for each client.
 */
const pooledName = 'tasks pooled';

/**
 * Opens no connection by itself. An error has an SQLSTATE or the driver's code in `code`. Its
 * `query`, `parameters` and `detail` carry values: never log them.
 */
export function createClient(database: DatabaseConfig, options: ClientOptions): Client {
  let isSpent = false;
  const tls = tlsOf(database);
  const settings = {
    // The driver would reconnect at once for waiting statements. A caller that discards the client
    // would not know whether they ran.
    socket() {
      if (isSpent) throw spentError();
      if (options.openSocket !== undefined) return options.openSocket();
      return tls === false ? openSocket(database) : openSecureSocket(database, tls);
    },
    // For error messages only: openSocket knows the address.
    host: database.host,
    port: database.port,
    user: database.user,
    // A function: for an empty string the driver would read the environment.
    password: () => database.password,
    database: database.name,
    // TLS is handled by openSocket: the driver would hide why a server refuses it.
    ssl: false,
    sslnegotiation: null,

    max: options.max,
    // A new connection prepares all statements again, so connections have no maximum age.
    max_lifetime: null,
    idle_timeout: 0,
    connect_timeout: connectTimeoutSeconds,
    keep_alive: keepAliveSeconds,
    backoff: reconnectDelaySeconds,

    prepare: options.isPlain !== true,
    // Statements in flight on one connection. At the limit the driver waits for all of them.
    max_pipeline: 100,
    // Otherwise each connection starts with a catalogue query, and its failure ends the process.
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

/** Dates and times stay text: a Date loses microseconds and accepts days that do not exist. */
const asText = {
  timestamps: {
    to: 1184,
    from: asTextTypes,
    parse: (text: string): string => text,
    serialize: (text: unknown): string => String(text),
  },
};

/** At most half a second, so that a restarted database is found soon. */
function reconnectDelaySeconds(attempt: number): number {
  return Math.min(reconnectFirstSeconds * 2 ** attempt, reconnectMaxSeconds);
}

function ignore(): void {}
