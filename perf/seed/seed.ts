/**
 * Adds many tasks, in one transaction: interrupted, it leaves the database as it was. Where they
 * are many beside those that are there, the indexes are dropped and made anew at the end, which
 * for ten million tasks takes minutes instead of hours; the table is locked for that long.
 */
import { once } from 'node:events';
import type { TransactionSql } from 'postgres';
import type { Client } from '../../src/database/client.ts';
import { createRandom } from '../load/random.ts';
import { copyColumns, copyLine } from './task.ts';

type Transaction = TransactionSql<{ timestamps: string }>;

export interface SeedOptions {
  readonly rows: number;
  readonly progress: (text: string) => void;
  /** Milliseconds since 1970; the latest task is that old. */
  readonly now?: number;
}

/** Each is one statement, so one step of the generation and one firing of the triggers. */
const batchRows = 100_000;
const rebuildRowsMin = 50_000;
const chunkBytes = 1 << 18;

/** Rejects as the database does; nothing was added then. */
export async function seedTasks(
  sql: Client,
  { rows, progress, now = Date.now() }: SeedOptions,
): Promise<void> {
  await sql.begin(async (transaction) => {
    const [state] = await transaction<{ total: string }[]>`SELECT total FROM tasks_state`;
    const rebuilds = rows >= rebuildRowsMin && rows >= Number(state!.total) / 2;
    const indexes = rebuilds ? await dropIndexes(transaction) : [];
    await copyTasks(transaction, rows, now, progress);
    // What the session of a server of somebody else allows; never more than that server has.
    await transaction`SET LOCAL maintenance_work_mem = '1GB'`;
    await transaction`SET LOCAL max_parallel_maintenance_workers = 4`;
    for (const { name, definition } of indexes) {
      progress(`making the index ${name}`);
      await transaction.unsafe(definition);
    }
  });
  progress('analysing');
  await sql.unsafe('VACUUM (ANALYZE) tasks, tasks_state, tasks_blocks');
}

interface Index {
  readonly name: string;
  readonly definition: string;
}

/** All but the primary key and what else must be unique. */
async function dropIndexes(sql: Transaction): Promise<Index[]> {
  const indexes = await sql.unsafe<(Index & { name: string })[]>(`
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indrelid = 'tasks'::regclass AND NOT indisunique ORDER BY 1`);
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  return [...indexes];
}

async function copyTasks(
  sql: Transaction,
  rows: number,
  now: number,
  progress: (text: string) => void,
): Promise<void> {
  const random = createRandom(rows);
  const began = performance.now();
  for (let done = 0; done < rows; ) {
    const end = Math.min(done + batchRows, rows);
    const copy = await sql.unsafe(`COPY tasks (${copyColumns}) FROM STDIN`).writable();
    let chunk = '';
    for (let number = done + 1; number <= end; number++) {
      chunk += copyLine(number, rows, now, random);
      if (chunk.length < chunkBytes && number < end) continue;
      if (!copy.write(chunk)) await once(copy, 'drain');
      chunk = '';
    }
    copy.end();
    await once(copy, 'finish');
    done = end;
    const rate = Math.round(done / ((performance.now() - began) / 1000));
    progress(`${done} of ${rows} tasks, ${rate}/s`);
  }
}
