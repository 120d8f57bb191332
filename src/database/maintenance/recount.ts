/** Makes good what went by the triggers: function tasks_recount (sql/migrations/050_repair.up.sql). */
import type { Pipeline } from '../pipeline/pipeline.ts';
import { countOf, oneRow } from '../pipeline/row.ts';

/** What was wrong. */
export interface Recount {
  /** That there are. */
  readonly tasks: number;
  readonly triggers: number;
  /** Of the total and those of each status. */
  readonly counts: number;
  readonly blocks: number;
  /** Tasks whose texts were not in the index, and are queued now. */
  readonly texts: number;
  /** ALTER TABLE wrote the table anew, or VACUUM FULL. */
  readonly wasRewritten: boolean;
}

const text = `
  SELECT all_tasks, wrong_triggers, wrong_counts, wrong_blocks, queued_texts, was_rewritten::integer
  FROM tasks_recount()`;

/** One transaction. Rejects with 42501 unless the role owns the tables. */
export async function recount(pipeline: Pipeline): Promise<Recount> {
  const row = oneRow(await pipeline.run(text, [], false), 6).map(countOf);
  const [tasks, triggers, counts, blocks, texts, isRewritten] = row as SixCounts;
  return { tasks, triggers, counts, blocks, texts, wasRewritten: isRewritten === 1 };
}

type SixCounts = [number, number, number, number, number, number];
