/** What the service is configured by, once the variables are read and checked: plain data. */
import type { LogLevel } from '../telemetry/log.ts';
import type { BindConfig } from './bind-address.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import type { RedisConfig } from './redis.ts';
import type { SslMode } from './root-cert.ts';

export type { RedisConfig, RedisPlace, ServerAddress } from './redis.ts';
export type { SslMode } from './root-cert.ts';

/** How to reach one PostgreSQL database. `host` that begins with `/` is a unix socket directory. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  readonly sslMode: SslMode;
  /** PEM file of the trusted authorities; `null`: those that Node brings. */
  readonly sslRootCert: string | null;
  /** What stands there gives each transaction another session. */
  readonly pooler?: 'transaction' | undefined;
  /** What of the configuration names it, for messages; unset: the variables that begin with DB_. */
  readonly source?: DatabaseSource | undefined;
}

export type DatabaseSource =
  | 'DB'
  | 'DB_DIRECT'
  | 'DATABASE_URL'
  | 'TEST_DB'
  | 'TEST_DATABASE_URL'
  | 'embedded';

/** How one front end gathers and executes work. */
export interface BatchingConfig {
  /** A smaller batch is executed on the front end's own thread; 0: every batch is offloaded. */
  readonly offloadMinBatch: number;
  /** The most requests in one batch, so in one statement. */
  readonly batchMax: number;
  /** The most requests of one kind that wait; one more is answered 503 `overloaded`. */
  readonly queueMax: number;
  /** While the first of a queue has waited for longer, one more is answered 503 `overloaded`. */
  readonly queueWaitMaxMs: number;
  /** How long a request may take from its last byte to its answer, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly workerThreads: number;
}

export interface Config {
  readonly env: 'development' | 'test' | 'production';
  readonly port: number;
  readonly bind: BindConfig;
  /** Host and base path under which clients reach the service; either may be missing. */
  readonly hostBasePath: string;
  readonly logLevel: LogLevel;
  /** What asks for them: metrics and profiles. */
  readonly metrics: {
    readonly path: string;
    readonly username: string;
    readonly password: string;
    readonly port: number;
    /** Front ends count; otherwise there is no such page. */
    readonly isEnabled: boolean;
  };
  /** `null`: the embedded PostgreSQL in `dataDir`. */
  readonly database: DatabaseConfig | null;
  /** Past a pooler: for what the primary does by itself. The same as `database` where none is named. */
  readonly directDatabase: DatabaseConfig | null;
  /** `null`: an embedded PostgreSQL of the tests' own. */
  readonly testDatabase: DatabaseConfig | null;
  /** Of the embedded one as well. */
  readonly testDatabaseName: string;
  readonly autoMigrate: boolean;
  /** Absolute. Holds the embedded database and what belongs to it. */
  readonly dataDir: string;
  readonly redis: RedisConfig | null;
  /** Bytes of lists that a front end keeps in memory; 0: none. */
  readonly cacheBytesMax: number;
  /** Profiles are served, behind the credentials of the metrics. */
  readonly pprofEnabled: boolean;
  /** The credentials are the default ones: profiles are for this machine alone, which needs none. */
  readonly profilesOpenLocally: boolean;
  /** A request that takes longer is logged, in milliseconds; 0: none. */
  readonly slowRequestMs: number;
  /** Answers say in `Server-Timing` where their time went. */
  readonly serverTiming: boolean;
  /** Which build of uWebSockets.js may serve. */
  readonly uwsBuild: 'auto' | 'current' | '2023';
  /** Origins whose pages may read answers, or `*` alone; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Names of headers that such pages may send beside those that the service reads. */
  readonly corsHeaders: readonly string[];
  readonly frontEnds: number;
  /** How many connections to PostgreSQL each part may have open; it bounds `frontEnds` and `workerThreads`. */
  readonly connections: ConnectionBudget;
  /** One without work for this long is closed; 0: none is. */
  readonly connectionIdleMs: number;
  readonly batching: BatchingConfig;
  /** How long a service that is to stop serves on, not ready, in milliseconds. */
  readonly shutdownDelayMs: number;
  /** How long stopping may take after that before what is left is given up, in milliseconds. */
  readonly shutdownGraceMs: number;
}

/**
 * Only a service opens something to somebody, so only that needs credentials. A tool works on the
 * database of the service; tests, and tools for them, never do.
 */
export type Purpose = 'service' | 'tool' | 'tests';
