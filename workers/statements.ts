/**
 * The SQL of plain requests; conditional-statements.ts and keyed-create.ts have that of the others.
 * Each is one statement, so one transaction; each takes a whole batch as arrays, so that one
 * prepared statement serves every batch size.
 */
import type { ResponseItem } from '../src/batching/frames.ts';
import type { ListQuery } from '../src/contract/list-query.ts';
import type { Pipeline } from '../src/database/wire/pipeline.ts';
import type { Values } from '../src/database/wire/row.ts';
import { readTaskAnswer } from './answers.ts';
import { bigintArray } from './arrays.ts';
import { listStatement, type Statement, sampleStatement } from './list-statement.ts';
import type { PreparedShapes } from './prepared-shapes.ts';
import type { SearchPlan, TaskSample } from './search-plans.ts';
import {
  arrayParameters,
  arraysOf,
  assignments,
  createdRow,
  parametersOf,
  prefixed,
  type TaskChange,
  type TaskDraft,
  type TaskRow,
  taskColumns,
  toDraft,
  toTaskRow,
  writtenColumns,
  writtenParameters,
  writtenValues,
} from './task-fields.ts';

/** A page, the number of tasks in the whole list, and the generation of the snapshot of both. */
export interface TaskPage {
  readonly rows: readonly TaskRow[];
  readonly total: number;
  /** False: there are more than were counted. */
  readonly totalExact: boolean;
  /** All tasks there are, whatever the list is of. */
  readonly tableTotal: number;
  readonly generation: string;
}

const readText = `SELECT ${taskColumns} FROM tasks WHERE id = ANY($1::bigint[])`;

// A lone one without the arrays takes a little less. $1: no row is written otherwise, as in a warm-up.
const createOneText = `
  INSERT INTO tasks (${writtenColumns})
  SELECT ${writtenParameters(2)} WHERE $1::boolean
  RETURNING id, version, created_at, updated_at`;

// ORDER BY place: rows are inserted, numbered and returned in the order of the requests.
const createText = `
  INSERT INTO tasks (${writtenColumns})
  SELECT ${writtenValues}
  FROM unnest(${arrayParameters(1)}) WITH ORDINALITY AS draft(${writtenColumns}, place)
  ORDER BY place
  RETURNING id, version, created_at, updated_at`;

// Rows are locked in ascending order of id, so that two batches can never wait for each other: with the
// settings of lanes.ts, `id = ANY` walks the primary key in its order, whatever that of the array.
// greatest(): a transaction that began earlier may commit later; updated_at must not go back.
const changeText = `
  UPDATE tasks AS task SET
    ${assignments('change.')},
    version = task.version + 1,
    updated_at = greatest(now(), task.updated_at)
  FROM unnest($1::bigint[], ${arrayParameters(2)}) AS change(id, ${writtenColumns})
  WHERE task.id = ANY($1::bigint[]) AND task.id = change.id
  RETURNING ${prefixed('task.', taskColumns)}`;

const removeText = 'DELETE FROM tasks WHERE id = ANY($1::bigint[]) RETURNING id';

export const pingText = 'SELECT 1';

/** @returns the answers of those that exist, in no order. */
export function readTasks(pipeline: Pipeline, ids: readonly number[]): Promise<ResponseItem[]> {
  return pipeline.read(readText, [bigintArray(ids)], readTaskAnswer);
}

/** @returns one row for each draft, in their order. */
export async function createTasks(
  pipeline: Pipeline,
  drafts: readonly TaskDraft[],
): Promise<TaskRow[]> {
  const rows =
    drafts.length === 1
      ? await pipeline.run(createOneText, ['true', ...parametersOf(drafts[0]!)])
      : await pipeline.run(createText, arraysOf(drafts));
  return rows.map(([id, version, createdAt, updatedAt], place) =>
    createdRow(drafts[place]!, {
      id: id!,
      version: version!,
      createdAt: createdAt!,
      updatedAt: updatedAt!,
    }),
  );
}

/** Makes the server keep the statement for a lone task. Without effect. */
export async function warmCreateOne(pipeline: Pipeline): Promise<void> {
  await pipeline.run(createOneText, ['false', ...parametersOf(toDraft({ title: '-' }))]);
}

/**
 * @param changes each id at most once.
 * @returns the answers of the changed tasks, in no order; an id that does not exist has none.
 */
export function changeTasks(
  pipeline: Pipeline,
  changes: readonly (TaskChange & { readonly id: number })[],
): Promise<ResponseItem[]> {
  // A planner that walks the arrays, and not the key, locks in the same order.
  const ascending = changes.toSorted((one, other) => one.id - other.id);
  const ids = bigintArray(ascending.map((change) => change.id));
  return pipeline.read(changeText, [ids, ...arraysOf(ascending)], readTaskAnswer);
}

/** @returns the ids that were there and are gone. */
export async function removeTasks(pipeline: Pipeline, ids: readonly number[]): Promise<number[]> {
  const rows = await pipeline.run(removeText, [bigintArray(ids)]);
  return rows.map(([id]) => Number(id));
}

/** @param prepared decides whether the server keeps the statement. */
export async function listTasks(
  pipeline: Pipeline,
  query: ListQuery,
  plan: SearchPlan,
  prepared: PreparedShapes,
): Promise<TaskPage> {
  const rows = await runShape(pipeline, listStatement(query, plan), prepared);
  const [generation, tableTotal, matching, finished] = rows[0]!;
  return {
    generation: generation!,
    tableTotal: Number(tableTotal),
    total: Number(matching),
    totalExact: finished === 't',
    // Without a task on the page there is still one row: the state beside nulls.
    rows: rows.filter((row) => row[4] !== null).map((row) => toTaskRow(row.slice(4))),
  };
}

/** See sampleStatement. */
export async function sampleTasks(
  pipeline: Pipeline,
  query: ListQuery,
  prepared: PreparedShapes,
): Promise<TaskSample> {
  const rows = await runShape(pipeline, sampleStatement(query), prepared);
  const [hits, totals, walked] = rows[0]!.map((array) =>
    array!.slice(1, -1).split(',').map(Number),
  );
  return {
    hits: hits!,
    termHits: totals!.slice(0, -1),
    tasks: totals!.at(-1)!,
    walkedTasks: walked![0]!,
  };
}

export async function ping(pipeline: Pipeline): Promise<void> {
  await pipeline.run(pingText, []);
}

/** A shape that is not kept is parsed and planned each time. */
async function runShape(
  pipeline: Pipeline,
  { text, values }: Statement,
  prepared: PreparedShapes,
): Promise<Values[]> {
  return pipeline.run(text, values, prepared.keeps(text));
}
