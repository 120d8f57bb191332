/** One database for each size on one embedded server: created if missing, and kept. */
import { createHash } from 'node:crypto';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { createDatabaseIfMissing } from '../../src/database/migrate/create-database.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { readMigrations } from '../../src/database/migrate/migrations.ts';
import { withSession } from '../../src/database/session.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createProgress } from '../seed/progress.ts';
import { seedTasks } from '../seed/seed.ts';
import { postmasterPid } from '../support/database.ts';

export interface ScaleDatabases {
  readonly each: readonly {
    readonly size: number;
    readonly config: DatabaseConfig;
    readonly sql: Client;
  }[];
  readonly version: string;
  /** The pid of the postmaster. */
  readonly pid: number;
  close(): Promise<void>;
}

/** Increment it when the tasks of perf/seed change. */
const seedVersion = 1;
/** Fixed, so that the tasks do not depend on the date. */
const now = Date.UTC(2026, 0, 1);

export async function openDatabases(
  dataDir: string,
  sizes: readonly number[],
): Promise<ScaleDatabases> {
  const log = createLogger({ level: 'warn', role: 'perf' });
  const schema = schemaDigest();
  const embedded = await startEmbedded({ dataDir, log });
  const each: { size: number; config: DatabaseConfig; sql: Client }[] = [];
  async function close(): Promise<void> {
    await Promise.all(each.map(({ sql }) => sql.end({ timeout: 5 })));
    await embedded.stop();
  }
  try {
    for (const size of sizes) {
      const config = { ...embedded.config, name: `${prefixOf(size)}v${seedVersion}_${schema}` };
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
    return { each, version: row!.server_version, pid: postmasterPid(embedded.config), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function prefixOf(size: number): string {
  return `scale_${size}_`;
}

/**
 * A digest of the migrations' texts, not their number: an unreleased migration may change in place,
 * and the current service would misread an older schema.
 */
function schemaDigest(): string {
  const hash = createHash('sha256');
  for (const { up } of readMigrations()) hash.update(up);
  return hash.digest('hex').slice(0, 8);
}

/** Ten million tasks with an old schema would waste 8 GB. */
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
  if (Number(state!.total) === size) return;
  await sql`TRUNCATE tasks RESTART IDENTITY`;
  const progress = createProgress();
  const began = performance.now();
  await seedTasks(sql, { rows: size, progress: progress.show, now });
  progress.end();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const [row] = await sql<{ bytes: string }[]>`
    SELECT pg_size_pretty(pg_total_relation_size('tasks')) AS bytes`;
  process.stderr.write(`made ${size} tasks in ${seconds} s, ${row!.bytes} with indexes\n`);
}
