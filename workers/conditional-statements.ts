/**
 * Changes and removals that depend on the version of the task, or that may change nothing. They
 * cost more than the plain ones, so a batch is written by these only if a request in it needs it.
 */
import type { Pipeline } from '../src/database/wire/pipeline.ts';
import { bigintArray, textArray } from './arrays.ts';
import {
  arrayParameters,
  arraysOf,
  assignments,
  prefixed,
  type TaskChange,
  type TaskRow,
  taskColumns,
  toTaskRow,
  writtenColumns,
} from './task-fields.ts';

/** What a request says about the task that it is for. */
export interface Precondition {
  readonly id: number;
  /** Versions that the task may have, comma-separated, perhaps none; `null`: any. */
  readonly versions: string | null;
}

export type ConditionalChange = TaskChange & Precondition;

/** A task that exists. */
export interface JudgedTask {
  readonly row: TaskRow;
  /** It had one of the versions; otherwise `row` is what it is, and nothing was written. */
  readonly met: boolean;
}

const changeColumns = prefixed('new_', writtenColumns);
const isMet = `(versions IS NULL OR version = ANY (string_to_array(versions, ',')::bigint[]))`;

// `locked` has the latest version of each row, however long it waited for the lock, so that what
// is judged is what is changed: nobody can come between.
const changeText = `
  WITH change AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], ${arrayParameters(3)})
      AS change(id, versions, ${changeColumns})
  ), locked AS MATERIALIZED (
    SELECT * FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
  ), judged AS MATERIALIZED (
    SELECT locked.*, ${changeColumns}, ${isMet} AS met, num_nonnulls(${changeColumns}) = 0 AS idle
    FROM locked JOIN change USING (id)
  ), changed AS (
    UPDATE tasks AS task SET
      ${assignments('judged.new_')},
      version = task.version + 1,
      updated_at = greatest(now(), task.updated_at)
    FROM judged
    WHERE task.id = judged.id AND judged.met AND NOT judged.idle
    RETURNING ${prefixed('task.', taskColumns)}
  )
  SELECT 'met', ${taskColumns} FROM changed
  UNION ALL
  SELECT CASE WHEN met THEN 'met' ELSE 'not met' END, ${taskColumns}
  FROM judged WHERE NOT met OR idle`;

const removeText = `
  WITH wanted AS (
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS wanted(id, versions)
  ), locked AS MATERIALIZED (
    SELECT id, version FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
  ), judged AS MATERIALIZED (
    SELECT id, ${isMet} AS met FROM locked JOIN wanted USING (id)
  ), removed AS (
    DELETE FROM tasks AS task USING judged WHERE task.id = judged.id AND judged.met
  )
  SELECT id, CASE WHEN met THEN 'met' ELSE 'not met' END FROM judged`;

/**
 * @param changes each id at most once; one without any field changes nothing, not even the version.
 * @returns the tasks that exist, in no order.
 */
export async function changeTasksIf(
  pipeline: Pipeline,
  changes: readonly ConditionalChange[],
): Promise<JudgedTask[]> {
  const rows = await pipeline.run(changeText, [
    bigintArray(changes.map((change) => change.id)),
    textArray(changes.map((change) => change.versions)),
    ...arraysOf(changes),
  ]);
  return rows.map(([met, ...row]) => ({ met: met === 'met', row: toTaskRow(row) }));
}

/** @returns for each id that existed whether it was removed. */
export async function removeTasksIf(
  pipeline: Pipeline,
  removals: readonly Precondition[],
): Promise<ReadonlyMap<number, boolean>> {
  const rows = await pipeline.run(removeText, [
    bigintArray(removals.map((removal) => removal.id)),
    textArray(removals.map((removal) => removal.versions)),
  ]);
  return new Map(rows.map(([id, met]) => [Number(id), met === 'met']));
}
