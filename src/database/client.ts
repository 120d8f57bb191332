/** Connections to PostgreSQL. Every option that matters is written out with its reason. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import type { DatabaseConfig } from '../config.ts';

export interface ClientOptions {
  /** Connections; each is opened when it is first needed. */
  readonly max: number;
  /** What `pg_stat_activity` calls them. */
  readonly applicationName: string;
  /** The server cancels a statement after this long; 0: never. */
  readonly statementTimeoutMs: number;
}

/** Queries of text: every value comes back as the text that PostgreSQL writes. */
export type Client = Sql<{ timestamps: string }>;

const connectTimeoutSeconds = 5;
const reconnectMaxSeconds = 0.5;
const keepAliveSeconds = 15;

/** Opens no connection by itself. Rejections carry SQLSTATE or the driver's code in `code`. */
export function createClient(database: DatabaseConfig, options: ClientOptions): Client {
  return postgres({
    ...addressOf(database),
    user: database.user,
    password: database.password,
    database: database.name,
    ssl: tlsOf(database),
    max: options.max,
    // Statements are prepared anew on a new connection, so connections are kept.
    max_lifetime: null,
    idle_timeout: 0,
    connect_timeout: connectTimeoutSeconds,
    keep_alive: keepAliveSeconds,
    backoff: (attempt: number) => Math.min(0.02 * 2 ** attempt, reconnectMaxSeconds),
    prepare: true,
    // Otherwise each connection begins with a catalogue query, whose failure ends the process.
    fetch_types: false,
    types: asText,
    onnotice: ignore,
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs,
      lock_timeout: options.statementTimeoutMs,
      idle_in_transaction_session_timeout: 60_000,
      // The encoder relies on both: `2025-12-05 12:00:00.12+00`.
      TimeZone: 'UTC',
      DateStyle: 'ISO',
    },
  });
}

const timestampTypes = [1082, 1114, 1184];

/** A Date would lose microseconds and accept days that do not exist: timestamps stay text. */
const asText = {
  timestamps: {
    to: 1184,
    from: timestampTypes,
    parse: (text: string): string => text,
    serialize: (text: unknown): string => String(text),
  },
};

function ignore(): void {}

/** A host that begins with `/` is the directory of a unix socket, as libpq has it. */
function addressOf(database: DatabaseConfig) {
  const { host, port } = database;
  return host.startsWith('/')
    ? { path: join(host, `.s.PGSQL.${port}`), host: 'localhost', port }
    : { host, port };
}

/**
 * libpq's meanings (PostgreSQL manual, "SSL Support"): `require` encrypts, and checks the chain
 * only where a root certificate is given; `verify-ca` checks the chain; `verify-full` the host's
 * name too. A server without TLS is refused in all three; a unix socket never has it.
 */
function tlsOf(database: DatabaseConfig) {
  const { sslMode, sslRootCert, host } = database;
  if (sslMode === 'disable' || host.startsWith('/')) return false;
  const authorities = sslRootCert === null ? {} : { ca: readFileSync(sslRootCert, 'utf8') };
  if (sslMode === 'verify-full') return { ...authorities, rejectUnauthorized: true };
  if (sslMode === 'require' && sslRootCert === null) return { rejectUnauthorized: false };
  return { ...authorities, rejectUnauthorized: true, checkServerIdentity: () => undefined };
}
