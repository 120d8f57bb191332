/**
 * Changes and removals with a precondition on the task's version, and changes without fields. They
 * cost more than the plain statements. A batch uses them only if one of its requests needs it, or
 * to find out why a plain statement changed nothing.
 */
import type { ResponseItem } from '../batching/frames.ts';
import type { Pipeline } from '../database/pipeline/pipeline.ts';
import type { Call } from '../database/pipeline/transaction.ts';
import { bigintArray, textArray } from './arrays.ts';
import { readId, readJudgedAnswer, readJudgedRemoval } from './item-answers.ts';
import { byPlace } from './placed-rows.ts';
import {
  arrayParameters,
  arraysOf,
  assignments,
  prefixed,
  type TaskChange,
  taskColumns,
  writtenColumns,
} from './task-fields.ts';

/** The task of a request and the versions that it may have. */
export interface Precondition {
  readonly id: number;
  /**
   * Comma-separated versions that the task may have, perhaps none. Each with a minus: versions that
   * it must not have. `null`: any version.
   */
  readonly versions: string | null;
}

export type ConditionalChange = TaskChange & Precondition;

const changeColumns = prefixed('new_', writtenColumns);
const listed = `string_to_array(versions, ',')::bigint[]`;
const isMet = `(versions IS NULL OR CASE WHEN starts_with(versions, '-')
  THEN -version <> ALL (${listed}) ELSE version = ANY (${listed}) END)`;

// `locked` has the latest version of each row, however long the lock took, so no writer can come
// between the check and the change. Rows that the UPDATE returns were changed. A trigger, a rule or
// a policy may have left others unchanged.
const changeText = `
  WITH change AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], ${arrayParameters(3)})
      AS change(id, versions, ${changeColumns})
  ), locked AS MATERIALIZED (
    SELECT ${taskColumns} FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
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
    RETURNING ${prefixed('task.', taskColumns)}, judged.id AS wanted
  )
  SELECT ${taskColumns}, wanted, 'met' FROM changed
  UNION ALL
  SELECT ${taskColumns}, id, CASE WHEN NOT met THEN 'not met' WHEN idle THEN 'met' ELSE 'kept' END
  FROM judged WHERE NOT met OR idle OR id NOT IN (SELECT wanted FROM changed)`;

const removeText = `
  WITH wanted AS (
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS wanted(id, versions)
  ), locked AS MATERIALIZED (
    SELECT id, version FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
  ), judged AS MATERIALIZED (
    SELECT id, ${isMet} AS met FROM locked JOIN wanted USING (id)
  ), removed AS (
    DELETE FROM tasks AS task USING judged WHERE task.id = judged.id AND judged.met
    RETURNING judged.id
  )
  SELECT id,
    CASE WHEN NOT met THEN 'not met' WHEN removed.id IS NULL THEN 'kept' ELSE 'met' END
  FROM judged LEFT JOIN removed USING (id)`;

const thereText = 'SELECT id FROM tasks WHERE id = ANY($1::bigint[])';

/** @returns the answers of the tasks that exist, by id. */
type Answers = Promise<ReadonlyMap<number, ResponseItem>>;

/**
 * @param changes each id at most once. A change without fields changes nothing, not even the
 * version.
 */
export async function changeTasksIf(
  pipeline: Pipeline,
  changes: readonly ConditionalChange[],
  before?: readonly Call[],
): Answers {
  const ids = changes.map(({ id }) => id);
  return byPlace(await pipeline.read(...changeCall(changes), readJudgedAnswer, before), ids);
}

export async function removeTasksIf(
  pipeline: Pipeline,
  removals: readonly Precondition[],
  before?: readonly Call[],
): Answers {
  const ids = removals.map(({ id }) => id);
  return byPlace(await pipeline.read(...removeCall(removals), readJudgedRemoval, before), ids);
}

/** Never rejects: it only adds detail to the outcome of another statement. */
export async function idsThere(
  pipeline: Pipeline,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  try {
    return new Set(await pipeline.read(thereText, [bigintArray(ids)], readId));
  } catch {
    return new Set();
  }
}

function changeCall(changes: readonly ConditionalChange[]): [string, string[]] {
  const ids = bigintArray(changes.map(({ id }) => id));
  const versions = textArray(changes.map((change) => change.versions));
  return [changeText, [ids, versions, ...arraysOf(changes)]];
}

function removeCall(removals: readonly Precondition[]): [string, string[]] {
  const ids = bigintArray(removals.map(({ id }) => id));
  return [removeText, [ids, textArray(removals.map(({ versions }) => versions))]];
}
