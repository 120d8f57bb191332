/** DB_POOLER and the direct connection past the pooler. */
import type { DatabaseConfig } from './config.ts';

interface Pooling {
  /** Empty: the embedded server. */
  readonly DB_HOST: string;
  readonly DB_POOLER?: 'transaction';
  readonly DB_DIRECT_HOST: string;
  readonly DB_DIRECT_PORT: number;
}

/** Checks the variables that need a configured server. */
export function checkPooler(values: Pooling, faults: string[]): void {
  const { DB_HOST, DB_POOLER, DB_DIRECT_HOST } = values;
  if (DB_HOST !== '') return;
  if (DB_POOLER !== undefined) faults.push('DB_POOLER: expected DB_HOST, the pooler, beside it');
  if (DB_DIRECT_HOST !== '') {
    faults.push('DB_DIRECT_HOST: expected DB_HOST, another way to the same server, beside it');
  }
}

/** The direct connection if configured, otherwise that of requests. */
export function directOf(database: DatabaseConfig | null, values: Pooling): DatabaseConfig | null {
  const { DB_DIRECT_HOST: host, DB_DIRECT_PORT: port, DB_POOLER: pooler } = values;
  return database === null || host === ''
    ? pooledAs(pooler, database)
    : { ...database, host, port, source: 'DB_DIRECT' };
}

export function pooledAs(
  pooler: 'transaction' | undefined,
  database: DatabaseConfig | null,
): DatabaseConfig | null {
  return database === null || pooler === undefined ? database : { ...database, pooler };
}
