/** The database of the measurements: embedded, in its own folder, seeded. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { readText } from './options.ts';
import { addDoomed, keepTextIndex, seed, trim } from './seed.ts';

export interface PerfDatabase {
  readonly config: DatabaseConfig;
  /** The pid of the postmaster. */
  readonly pid: number;
  readonly version: string;
  /** The number of free connections on the server. */
  freeConnections(): Promise<number>;
  /** Removes what runs have added. */
  trim(): Promise<void>;
  /** Adds tasks above the seeded ones, for DELETE. */
  addDoomed(table: string, count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startDatabase(dataDir: string): Promise<PerfDatabase> {
  const log = createLogger({ level: 'warn', role: 'perf' });
  const embedded = await startEmbedded({ dataDir, log });
  const { config } = embedded;
  let sql: Client | undefined;
  try {
    await migrateUp(config, log);
    sql = createClient(config, { max: 1, applicationName: 'tasks perf', statementTimeoutMs: 0 });
    const started = performance.now();
    const tellFirst = (): void => {
      process.stderr.write(
        `making a million tasks in ${dataDir}, once: it takes some minutes, and up to 4 GB of disk …\n`,
      );
    };
    if (await seed(sql, tellFirst)) {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      process.stderr.write(`made a million tasks in ${seconds} s\n`);
    }
    await keepTextIndex(sql, readText('PEER_TEXT_INDEX') !== 'no');
    const [row] = await sql<
      { version: string }[]
    >`SELECT current_setting('server_version') AS version`;
    const client = sql;
    return {
      config,
      pid: postmasterPid(config),
      version: row!.version,
      freeConnections: () => freeConnections(client),
      trim: () => trim(client),
      addDoomed: (table, count) => addDoomed(client, table, count),
      async stop() {
        await client.end({ timeout: 5 });
        await embedded.stop();
      },
    };
  } catch (error) {
    await sql?.end({ timeout: 1 });
    await embedded.stop();
    throw error;
  }
}

/** The socket's lock file starts with the pid (PostgreSQL source, miscinit.c). */
export function postmasterPid(config: DatabaseConfig): number {
  const text = readFileSync(join(config.host, `.s.PGSQL.${config.port}.lock`), 'utf8');
  return Number(text.split('\n', 1)[0]);
}

async function freeConnections(sql: Client): Promise<number> {
  const [row] = await sql<{ free: number }[]>`
    SELECT current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int
      - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS free`;
  return row!.free;
}
