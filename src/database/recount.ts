/** Makes good what went by the triggers: function tasks_recount of migration 006. */
import type { Client } from './client.ts';

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

/** One transaction. Rejects with 42501 unless the role owns the tables. */
export async function recount(sql: Client): Promise<Recount> {
  const [row] = await sql<
    {
      all_tasks: string;
      wrong_triggers: number;
      wrong_counts: number;
      wrong_blocks: string;
      queued_texts: string;
      was_rewritten: boolean;
    }[]
  >`SELECT * FROM tasks_recount()`;
  const found = row!;
  return {
    tasks: Number(found.all_tasks),
    triggers: found.wrong_triggers,
    counts: found.wrong_counts,
    blocks: Number(found.wrong_blocks),
    texts: Number(found.queued_texts),
    wasRewritten: found.was_rewritten,
  };
}
