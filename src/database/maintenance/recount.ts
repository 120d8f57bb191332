/** Corrects what the triggers missed: function tasks_recount (sql/migrations/050_repair.up.sql). */
import type { Pipeline } from '../pipeline/pipeline.ts';
import { countOf, oneRow } from '../pipeline/row.ts';

/** The corrections that were made. */
export interface Recount {
  /** The number of tasks. */
  readonly tasks: number;
  readonly triggers: number;
  /** The number of wrong counters: the total and one for each status. */
  readonly counts: number;
  readonly blocks: number;
  /** Tasks whose texts were missing in the index; they are queued now. */
  readonly texts: number;
  /** ALTER TABLE or VACUUM FULL rewrote the table. */
  readonly wasRewritten: boolean;
}

const text = `
  SELECT all_tasks, wrong_triggers, wrong_counts, wrong_blocks, queued_texts, was_rewritten::integer
  FROM tasks_recount()`;

/** Runs in one transaction. Rejects with 42501 unless the role owns the tables. */
export async function recount(pipeline: Pipeline): Promise<Recount> {
  const row = oneRow(await pipeline.run(text, [], false), 6).map(countOf);
  const [tasks, triggers, counts, blocks, texts, isRewritten] = row as SixCounts;
  return { tasks, triggers, counts, blocks, texts, wasRewritten: isRewritten === 1 };
}

type SixCounts = [number, number, number, number, number, number];
