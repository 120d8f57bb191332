/** One database for each size, in one embedded server: made where it is missing, and kept. */
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { createDatabaseIfMissing } from '../../src/database/migrate/create-database.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { withSession } from '../../src/database/session.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { postmasterPid } from './database.ts';
import { makeTasks, seedMark } from './make-tasks.ts';

export interface SizedDatabases {
  readonly each: readonly {
    readonly size: number;
    readonly config: DatabaseConfig;
    readonly sql: Client;
  }[];
  readonly version: string;
  /** The pid of the postmaster. */
  readonly pid: number;
  stop(): Promise<void>;
}

export async function openDatabases(
  dataDir: string,
  sizes: readonly number[],
): Promise<SizedDatabases> {
  const log = createLogger({ level: 'warn', role: 'perf' });
  const embedded = await startEmbedded({ dataDir, log });
  const each: { size: number; config: DatabaseConfig; sql: Client }[] = [];
  async function stop(): Promise<void> {
    await Promise.all(each.map(({ sql }) => sql.end({ timeout: 5 })));
    await embedded.stop();
  }
  try {
    for (const size of sizes) {
      const config = { ...embedded.config, name: `${prefixOf(size)}${seedMark()}` };
      await dropFormer(embedded.config, prefixOf(size), config.name);
      await createDatabaseIfMissing(config, log);
      await migrateUp(config, log);
      const sql = createClient(config, {
        max: 1,
        applicationName: 'tasks perf',
        statementTimeoutMs: 0,
      });
      each.push({ size, config, sql });
      await fill(sql, size);
    }
    const [row] = await each[0]!.sql<{ server_version: string }[]>`SHOW server_version`;
    return { each, version: row!.server_version, pid: postmasterPid(embedded.config), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function prefixOf(size: number): string {
  return `scale_${size}_`;
}

/** Ten million tasks of another schema would take their 8 GB for nothing. */
async function dropFormer(server: DatabaseConfig, prefix: string, name: string): Promise<void> {
  await withSession({ ...server, name: 'postgres' }, 0, async (sql) => {
    const former = await sql<{ datname: string }[]>`
      SELECT datname FROM pg_database WHERE starts_with(datname, ${prefix}) AND datname <> ${name}`;
    for (const { datname } of former) await sql`DROP DATABASE ${sql(datname)} WITH (FORCE)`;
  });
}

/** An interrupted seed leaves nothing: it is one transaction. */
async function fill(sql: Client, size: number): Promise<void> {
  const [state] = await sql<{ total: string }[]>`SELECT total FROM tasks_state`;
  if (Number(state!.total) !== size) await makeTasks(sql, size);
}
