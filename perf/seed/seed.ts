/**
 * Adds many tasks, in one transaction: interrupted, it leaves the database as it was. Where they
 * are many beside those that are there, the indexes are dropped and made anew at the end, which
 * for ten million tasks takes minutes instead of hours; the table is locked for that long.
 * Fewer go through the indexes; others can read meanwhile, but not write.
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
  /** Milliseconds since 1970; the latest task is that old. */
  readonly now?: number;
  /** Cancels the statement under way; has no effect any more once the tasks are committed. */
  readonly signal?: AbortSignal;
}

/** What a statement is run with: rejects with the reason of the signal once that is there. */
type Run = <Result extends readonly Row[]>(statement: PendingQuery<Result>) => Promise<Result>;

/** Each is one statement, so one step of the generation and one firing of the triggers. */
const batchRows = 20_000;
const rebuildRowsMin = 50_000;
const textsRows = 100_000;
const busyMs = 50;

/** Rejects as the database does, or with the reason of the signal; nothing was added then. */
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
    // Both are limits: no more is taken than an index needs, and than the server has of workers.
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
      // That it was cancelled is what the server says then.
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

/** All but the primary keys and what else must be unique. */
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
  /** The highest id that is there. */
  readonly newest: number;
  readonly now: number;
  readonly progress: (text: string) => void;
}

/** The same every time on an empty table, and other tasks each time on one that has some. */
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

/** What a service would do behind our back for as long as it takes. */
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
    // A service is at it.
    if (taken === null) await sleep(busyMs);
    copied += taken ?? 0;
    progress(`copied ${copied} texts for searches`);
  }
}
