/** A database in a known state, with the service's executor. */
import type { DatabaseConfig } from '../../../src/config/config.ts';
import { createClient } from '../../../src/database/client.ts';
import { migrateUp } from '../../../src/database/migrate/migrate.ts';
import { createExecutor, type Executor } from '../../../src/tasks/executor.ts';
import { createLogger } from '../../../src/telemetry/log.ts';
import { batchValues, insertBatch } from '../../seed/batch.ts';
import { createRandom } from '../../seed/random.ts';
import { seedTasks } from '../../seed/seed.ts';
import { makeTask, type SeededTask } from '../../seed/task.ts';
import { indexAllTexts } from '../../support/texts.ts';

export interface TaskDatabase {
  readonly executor: Executor;
  /** Removes what a benchmark has added, so that only the seeded tasks remain. */
  reset(): Promise<void>;
  /** Adds tasks. @returns their ids. */
  add(tasks: readonly SeededTask[]): Promise<number[]>;
  close(): Promise<void>;
}

/** Their ids are 1 to this number. */
export const seededTasks = 10_000;
/** Fixed, so that every run has the same tasks. */
export const seededAt = Date.UTC(2026, 0, 1);

const rowsAtOnce = 10_000;
const statementTimeoutMs = 30_000;

/** Removes every existing task. */
export async function openTaskDatabase(config: DatabaseConfig): Promise<TaskDatabase> {
  const log = createLogger({ level: 'warn', role: 'benchmarks' });
  await migrateUp(config, log);
  const sql = createClient(config, {
    max: 1,
    applicationName: 'tasks benchmarks',
    statementTimeoutMs: 0,
  });
  const executor = createExecutor({
    database: config,
    applicationName: 'tasks benchmarks',
    statementTimeoutMs,
  });

  async function reset(): Promise<void> {
    await sql`DELETE FROM tasks WHERE id > ${seededTasks}`;
    // A later vacuum or checkpoint must not run during a measurement.
    await indexAllTexts(sql);
    await sql`VACUUM (ANALYZE) tasks, tasks_state, tasks_blocks, tasks_texts, tasks_unindexed`;
    await sql`CHECKPOINT`;
  }

  async function add(tasks: readonly SeededTask[]): Promise<number[]> {
    const ids: number[] = [];
    for (let done = 0; done < tasks.length; done += rowsAtOnce) {
      const values = batchValues(tasks.slice(done, done + rowsAtOnce));
      const rows = await sql.unsafe<{ id: string }[]>(`${insertBatch} RETURNING id`, values);
      for (const { id } of rows) ids.push(Number(id));
    }
    return ids;
  }

  async function close(): Promise<void> {
    await executor.close();
    await sql.end({ timeout: 5 });
  }

  try {
    await sql`TRUNCATE tasks RESTART IDENTITY`;
    await seedTasks(sql, { rows: seededTasks, progress: () => undefined, now: seededAt });
    await reset();
    await executor.warm();
    return { executor, reset, add, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The same tasks in each run. */
export function makeTasks(count: number): SeededTask[] {
  const random = createRandom(count);
  return Array.from({ length: count }, (_, place) =>
    makeTask({ id: seededTasks + place + 1, share: place / count, now: seededAt }, random),
  );
}
