/** The database of the measurements: embedded, in its own folder, seeded. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { withSession } from '../../src/database/session.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { readText } from './options.ts';
import { addDoomed, fillTasks, keepTextIndex, stateOfTasks, trim } from './tasks.ts';

export interface PerfDatabase {
  readonly config: DatabaseConfig;
  /** The pid of the postmaster. */
  readonly pid: number;
  readonly version: string;
  /** Takes away what runs have added. */
  trim(): Promise<void>;
  /** Adds tasks above the seeded ones, for DELETE. */
  addDoomed(table: string, count: number): Promise<void>;
  /** Leaves the tasks as they were. */
  stop(): Promise<void>;
}

export async function startDatabase(folder: string): Promise<PerfDatabase> {
  const dataDir = resolve(folder);
  const log = createLogger({ level: 'warn', role: 'perf' });
  const embedded = await startEmbedded({ dataDir, log });
  const { config } = embedded;
  let sql: Client | undefined;
  try {
    await dropOutdated(config, dataDir);
    await migrateUp(config, log);
    sql = createClient(config, { max: 1, applicationName: 'tasks perf', statementTimeoutMs: 0 });
    if ((await stateOfTasks(sql)) === 'whole') {
      await trim(sql);
    } else {
      process.stderr.write(`making a million tasks in ${dataDir}, once: it takes some minutes …\n`);
      await fillTasks(sql);
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
      trim: () => trim(client),
      addDoomed: (table, count) => addDoomed(client, table, count),
      async stop() {
        await trim(client).catch(() => undefined);
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

/** Today's migrations may not fit what other ones have made. */
async function dropOutdated(config: DatabaseConfig, dataDir: string): Promise<void> {
  const state = await withSession(config, 0, stateOfTasks);
  if (state === 'foreign') {
    throw new Error(`${dataDir} has tasks that no measurement made: choose another DATA_DIR`);
  }
  if (state !== 'outdated') return;
  await withSession({ ...config, name: 'postgres' }, 0, async (sql) => {
    await sql`DROP DATABASE ${sql(config.name)} WITH (FORCE)`;
  });
}

/** The lock beside the socket begins with the pid (PostgreSQL source, miscinit.c). */
export function postmasterPid(config: DatabaseConfig): number {
  const text = readFileSync(join(config.host, `.s.PGSQL.${config.port}.lock`), 'utf8');
  return Number(text.split('\n', 1)[0]);
}
