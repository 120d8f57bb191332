/** The configuration, read and checked: plain data. */
import type { LogLevel } from '../telemetry/log.ts';
import type { BindConfig } from './bind-address.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import type { RedisConfig } from './redis.ts';
import type { SslMode } from './root-cert.ts';

export type { RedisConfig, RedisPlace, ServerAddress } from './redis.ts';
export type { SslMode } from './root-cert.ts';

/**
 * The connection to a PostgreSQL database. A `host` that starts with `/` is a Unix socket's folder.
 */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  readonly sslMode: SslMode;
  /** A PEM file of trusted authorities; `null`: Node's own. */
  readonly sslRootCert: string | null;
  /** A transaction pooler: each transaction may have another session. */
  readonly pooler?: 'transaction' | undefined;
  /** Which variables configure it, for messages; unset: those that start with DB_. */
  readonly source?: DatabaseSource | undefined;
}

export type DatabaseSource =
  | 'DB'
  | 'DB_DIRECT'
  | 'DATABASE_URL'
  | 'TEST_DB'
  | 'TEST_DATABASE_URL'
  | 'embedded';

/** How a front end collects and runs batches. */
export interface BatchingConfig {
  /** A smaller batch runs on the front end's own thread; 0: every batch goes to a worker. */
  readonly offloadMinBatch: number;
  /** The most requests in one batch, so in one statement. */
  readonly batchMax: number;
  /** The most queued requests of one kind; the next one gets 503 `overloaded`. */
  readonly queueMax: number;
  /** While the first in a queue has waited longer, new requests get 503 `overloaded`. */
  readonly queueWaitMaxMs: number;
  /** Milliseconds from a request's last byte to its response. */
  readonly requestTimeoutMs: number;
  readonly workerThreads: number;
}

export interface Config {
  readonly env: 'development' | 'test' | 'production';
  readonly port: number;
  readonly bind: BindConfig;
  /** Host and base path of the service for clients; either may be empty. */
  readonly hostBasePath: string;
  readonly logLevel: LogLevel;
  /** The port and credentials of the operators' pages: metrics and profiles. */
  readonly metrics: {
    readonly path: string;
    readonly username: string;
    readonly password: string;
    readonly port: number;
    /** Front ends record metrics; otherwise the page does not exist. */
    readonly isEnabled: boolean;
  };
  /** `null`: the embedded PostgreSQL in `dataDir`. */
  readonly database: DatabaseConfig | null;
  /** The primary's own connection, past a pooler. Default: `database`. */
  readonly directDatabase: DatabaseConfig | null;
  /** `null`: a separate embedded PostgreSQL for tests. */
  readonly testDatabase: DatabaseConfig | null;
  /** Also for the embedded one. */
  readonly testDatabaseName: string;
  readonly autoMigrate: boolean;
  /** Absolute. The folder of the embedded database and its files. */
  readonly dataDir: string;
  readonly redis: RedisConfig | null;
  /** The most bytes of lists in a front end's memory; 0: none. */
  readonly cacheBytesMax: number;
  /** Profiles are served, with the credentials of the metrics. */
  readonly pprofEnabled: boolean;
  /** The credentials are the defaults: profiles are for this machine only, without credentials. */
  readonly profilesOpenLocally: boolean;
  /** Slower requests are logged, in milliseconds; 0: none. */
  readonly slowRequestMs: number;
  /** Responses have a `Server-Timing` header. */
  readonly serverTiming: boolean;
  /** The build of uWebSockets.js to use. */
  readonly uwsBuild: 'auto' | 'current' | '2023';
  /** Origins whose pages may read responses, or `*` alone; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Further request headers that such pages may send. */
  readonly corsHeaders: readonly string[];
  readonly frontEnds: number;
  /** The PostgreSQL connections of each part; bounds `frontEnds` and `workerThreads`. */
  readonly connections: ConnectionBudget;
  /** A connection idle for this long is closed; 0: never. */
  readonly connectionIdleMs: number;
  readonly batching: BatchingConfig;
  /** How long a draining service continues to serve while not ready, in milliseconds. */
  readonly shutdownDelayMs: number;
  /** How long the stop may take after that before it is forced, in milliseconds. */
  readonly shutdownGraceMs: number;
}

/**
 * Only the service opens ports, so only the service needs credentials. A tool uses the service's
 * database; tests and their tools never do.
 */
export type Purpose = 'service' | 'tool' | 'tests';
