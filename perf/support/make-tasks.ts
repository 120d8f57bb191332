/** Fills an empty database with the tasks that every measurement finds: the same on each day. */
import { createHash } from 'node:crypto';
import type { Client } from '../../src/database/client.ts';
import { readMigrations } from '../../src/database/migrate/migrations.ts';
import { createProgress } from '../seed/progress.ts';
import { seedTasks } from '../seed/seed.ts';

/** To be raised when what perf/seed makes changes. */
const seedVersion = 1;
const now = Date.UTC(2026, 0, 1);

/** Takes away every task that is there. The ids of the new ones are 1 to `rows`. */
export async function makeTasks(sql: Client, rows: number): Promise<void> {
  await sql`TRUNCATE tasks RESTART IDENTITY`;
  const progress = createProgress();
  const began = performance.now();
  await seedTasks(sql, { rows, progress: progress.show, now });
  progress.end();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const [row] = await sql<{ bytes: string }[]>`
    SELECT pg_size_pretty(pg_total_relation_size('tasks')) AS bytes`;
  process.stderr.write(`made ${rows} tasks in ${seconds} s, ${row!.bytes} with indexes\n`);
}

/**
 * Names these tasks in this schema.
 *
 * From the texts of the migrations, not from their number: a migration that is not released yet is
 * changed where it stands, and today's service would read wrongly what an earlier one has made.
 */
export function seedMark(): string {
  const hash = createHash('sha256');
  for (const { up } of readMigrations()) hash.update(up);
  return `v${seedVersion}_${hash.digest('hex').slice(0, 8)}`;
}
