/**
 * Adds many tasks in one transaction: an interrupted seed has no effect. If they are many compared
 * with the existing ones, the indexes are dropped and rebuilt at the end. For ten million tasks
 * that takes minutes instead of hours, during which the table is locked. Otherwise the indexes
 * stay: clients can read meanwhile, but not write.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PendingQuery, Row, TransactionSql } from 'postgres';
import type { Client } from '../../src/database/client.ts';
import { batchValues, insertBatch } from './batch.ts';
import { createRandom } from './random.ts';
import { makeTask, type SeededTask } from './task.ts';

type Transaction = TransactionSql<{ timestamps: string }>;

export interface SeedOptions {
  readonly rows: number;
  readonly progress: (text: string) => void;
  /** Milliseconds since 1970: the creation time of the newest task. */
  readonly now?: number;
  /** Cancels the statement in progress; no effect once the tasks are committed. */
  readonly signal?: AbortSignal;
}

/** Runs a statement; rejects with the signal's reason when it aborts. */
type Run = <Result extends readonly Row[]>(statement: PendingQuery<Result>) => Promise<Result>;

/** Each batch is one statement, so it advances the generation and fires the triggers once. */
const batchRows = 20_000;
const rebuildRowsMin = 50_000;
const textsRows = 100_000;
const busyMs = 50;

/** Rejects with the database's error or the signal's reason; then nothing was added. */
export async function seedTasks(
  sql: Client,
  { rows, progress, now = Date.now(), signal = new AbortController().signal }: SeedOptions,
): Promise<void> {
  await sql.begin(async (transaction) => {
    const run = runnerOf(signal);
    const [state] = await run(
      transaction<{ total: string; newest: string | null }[]>`
        SELECT total, (SELECT max(id) FROM tasks) AS newest FROM tasks_state`,
    );
    const rebuilds = rows >= rebuildRowsMin && rows >= Number(state!.total) / 2;
    const indexes = rebuilds ? await dropIndexes(transaction, run) : [];
    const newest = Number(state!.newest ?? 0);
    await addTasks(transaction, run, { rows, newest, now, progress });
    await copyTexts(transaction, run, progress);
    // Both are upper limits: the index build takes only what it needs and what is available.
    await run(transaction`SET LOCAL maintenance_work_mem = '1GB'`);
    await run(transaction`SET LOCAL max_parallel_maintenance_workers = 4`);
    for (const { name, definition } of indexes) {
      progress(`making the index ${name}`);
      await run(transaction.unsafe(definition));
    }
    signal.throwIfAborted();
  });
  progress('analysing');
  await sql.unsafe(
    'VACUUM (ANALYZE) tasks, tasks_state, tasks_blocks, tasks_texts, tasks_unindexed',
  );
}

function runnerOf(signal: AbortSignal): Run {
  return async (statement) => {
    signal.throwIfAborted();
    const cancel = (): void => statement.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await statement;
    } catch (error) {
      // After a cancel the server reports only that.
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
}

interface Index {
  readonly name: string;
  readonly definition: string;
}

/** All indexes except those of primary keys and unique constraints. */
async function dropIndexes(sql: Transaction, run: Run): Promise<readonly Index[]> {
  const indexes = await run(
    sql.unsafe<Index[]>(`
      SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
      FROM pg_index WHERE indrelid IN ('tasks'::regclass, 'tasks_texts'::regclass)
        AND NOT indisunique ORDER BY 1`),
  );
  for (const { name } of indexes) await run(sql.unsafe(`DROP INDEX ${name}`));
  return indexes;
}

interface Addition {
  readonly rows: number;
  /** The highest existing id. */
  readonly newest: number;
  readonly now: number;
  readonly progress: (text: string) => void;
}

/** Always the same tasks in an empty table; others if the table has tasks. */
async function addTasks(
  sql: Transaction,
  run: Run,
  { rows, newest, now, progress }: Addition,
): Promise<void> {
  const random = createRandom(rows + newest);
  const began = performance.now();
  for (let done = 0; done < rows; ) {
    const end = Math.min(done + batchRows, rows);
    const tasks: SeededTask[] = [];
    for (let number = done + 1; number <= end; number++) {
      tasks.push(makeTask({ id: newest + number, share: number / rows, now }, random));
    }
    await run(sql.unsafe(insertBatch, batchValues(tasks), { prepare: true }));
    done = end;
    const rate = Math.round(done / ((performance.now() - began) / 1000));
    progress(`${done} of ${rows} tasks, ${rate}/s`);
  }
}

/** Updates the text index now, instead of the service in the background. */
async function copyTexts(
  sql: Transaction,
  run: Run,
  progress: (text: string) => void,
): Promise<void> {
  for (let copied = 0; ; ) {
    const [row] = await run(
      sql<{ taken: number | null }[]>`SELECT tasks_index_texts(${textsRows}) AS taken`,
    );
    const { taken } = row!;
    if (taken === 0) return;
    // A service is indexing.
    if (taken === null) await sleep(busyMs);
    copied += taken ?? 0;
    progress(`copied ${copied} texts for searches`);
  }
}
