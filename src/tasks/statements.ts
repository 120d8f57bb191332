/**
 * The SQL of plain requests; conditional-statements.ts and keyed-create.ts have the others. Each is
 * one statement and so one transaction. Each takes a whole batch as arrays, so one prepared
 * statement serves every batch size.
 */
import type { ResponseItem } from '../batching/frames.ts';
import type { ListQuery } from '../contract/list-query.ts';
import type { Pipeline } from '../database/pipeline/pipeline.ts';
import type { Values } from '../database/pipeline/row.ts';
import type { Call } from '../database/pipeline/transaction.ts';
import { bigintArray } from './arrays.ts';
import { impossibleRows } from './failures.ts';
import type { Statement } from './found-tasks.ts';
import {
  leftOut,
  readCreatedAnswer,
  readId,
  readPlacedChanged,
  readPlacedCreated,
  readTaskAnswer,
} from './item-answers.ts';
import { listStatement } from './list-statement.ts';
import { atPlaces, byPlace } from './placed-rows.ts';
import type { PreparedShapes } from './prepared-shapes.ts';
import { sampleStatement } from './sample-statement.ts';
import type { SearchPlan, TaskSample } from './search-plans.ts';
import {
  arrayParameters,
  arraysOf,
  assignments,
  parametersOf,
  placeOfRow,
  prefixed,
  type TaskChange,
  type TaskDraft,
  type TaskRow,
  taskColumnCount,
  taskColumns,
  toDraft,
  toTaskRow,
  writtenColumns,
  writtenParameters,
  writtenValues,
} from './task-fields.ts';

/** A page, the number of tasks in the list, and the generation of their snapshot. */
export interface TaskPage {
  readonly rows: readonly TaskRow[];
  readonly total: number;
  /** False: the list has more tasks than were counted. */
  readonly totalExact: boolean;
  /** The number of all tasks, whatever the list selects. */
  readonly tableTotal: number;
  readonly generation: string;
}

const readText = `SELECT ${taskColumns} FROM tasks WHERE id = ANY($1::bigint[])`;

// Without arrays a single create takes a little less. $1 false writes no row: for the warm-up.
const createOneText = `
  INSERT INTO tasks (${writtenColumns})
  SELECT ${writtenParameters(2)} WHERE $1::boolean
  RETURNING ${taskColumns}`;

// unnest returns rows in the order of the requests, and nothing sorts them, so they are numbered.
// Triggers may skip or change rows, but not the number that a row returns.
const createText = `
  INSERT INTO tasks (${writtenColumns})
  SELECT ${writtenValues}
  FROM unnest(${arrayParameters(1)}) WITH ORDINALITY AS draft(${writtenColumns}, place)
  RETURNING ${taskColumns}, ${placeOfRow}`;

// Locks rows in ascending order of id, so that two batches cannot deadlock. With the settings of
// lanes.ts, `id = ANY` follows the primary key, whatever the order of the array. greatest(): a
// transaction that began earlier may commit later, and updated_at must not decrease.
const changeText = `
  UPDATE tasks AS task SET
    ${assignments('change.')},
    version = task.version + 1,
    updated_at = greatest(now(), task.updated_at)
  FROM unnest($1::bigint[], ${arrayParameters(2)}) AS change(id, ${writtenColumns})
  WHERE task.id = ANY($1::bigint[]) AND task.id = change.id
  RETURNING ${prefixed('task.', taskColumns)}, change.id`;

const removeText = 'DELETE FROM tasks WHERE id = ANY($1::bigint[]) RETURNING id';

export const pingText = 'SELECT 1';

/** @returns the answers of the existing tasks, in no order. */
export function readTasks(pipeline: Pipeline, ids: readonly number[]): Promise<ResponseItem[]> {
  return pipeline.read(readText, [bigintArray(ids)], readTaskAnswer);
}

/**
 * @param before statements that run first in the same transaction.
 * @returns one answer for each draft, in their order: the stored task, or `rejected`.
 */
export async function createTasks(
  pipeline: Pipeline,
  drafts: readonly TaskDraft[],
  before?: readonly Call[],
): Promise<ResponseItem[]> {
  if (drafts.length === 1) {
    const parameters = ['true', ...parametersOf(drafts[0]!)];
    const rows = await pipeline.read(createOneText, parameters, readCreatedAnswer, before);
    if (rows.length > 1) throw impossibleRows('several for one create');
    return [rows[0] ?? leftOut];
  }
  const rows = await pipeline.read(createText, arraysOf(drafts), readPlacedCreated, before);
  return atPlaces(rows, drafts.length, leftOut);
}

/** Prepares the statement for a single task. Writes nothing. */
export async function warmCreateOne(pipeline: Pipeline): Promise<void> {
  await pipeline.run(createOneText, ['false', ...parametersOf(toDraft({ title: '-' }))]);
}

/**
 * @param changes each id at most once.
 * @returns the answers of the changed tasks, by requested id. Other tasks were not changed.
 */
export async function changeTasks(
  pipeline: Pipeline,
  changes: readonly (TaskChange & { readonly id: number })[],
  before?: readonly Call[],
): Promise<ReadonlyMap<number, ResponseItem>> {
  // A plan that follows the array instead of the key also locks in this order.
  const ascending = changes.toSorted((one, other) => one.id - other.id);
  const ids = ascending.map((change) => change.id);
  const parameters = [bigintArray(ids), ...arraysOf(ascending)];
  const rows = await pipeline.read(changeText, parameters, readPlacedChanged, before);
  return byPlace(rows, ids);
}

/** @returns the ids that existed and were removed. */
export async function removeTasks(
  pipeline: Pipeline,
  ids: readonly number[],
  before?: readonly Call[],
): Promise<ReadonlySet<number>> {
  const removed = await pipeline.read(removeText, [bigintArray(ids)], readId, before);
  return new Set(
    byPlace(
      removed.map((id) => ({ place: id, answer: id })),
      ids,
    ).keys(),
  );
}

/** @param prepared decides whether the server keeps the statement prepared. */
export async function listTasks(
  pipeline: Pipeline,
  query: ListQuery,
  plan: SearchPlan,
  prepared: PreparedShapes,
): Promise<TaskPage> {
  const rows = await runShape(pipeline, listStatement(query, plan), prepared);
  const [generation, tableTotal, matching, finished] = rows[0] ?? [];
  if (!isCount(generation) || !isCount(tableTotal) || !isCount(matching)) {
    throw impossibleRows('a list without its state');
  }
  // One row more than the page tells a cursor that another page follows.
  if (rows.length > query.perPage + 1) throw impossibleRows('a list longer than its page');
  return {
    generation,
    tableTotal: Number(tableTotal),
    total: Number(matching),
    totalExact: finished === 't',
    // An empty page still has one row: the state with nulls.
    rows: rows.filter((row) => row[stateColumns] !== null).map(toListedRow),
  };
}

/** The number of columns before the task in each row of a list. */
const stateColumns = 4;

function toListedRow(row: Values): TaskRow {
  if (row.length !== stateColumns + taskColumnCount) {
    throw impossibleRows('another number of columns');
  }
  return toTaskRow(row.slice(stateColumns));
}

/** See sampleStatement. */
export async function sampleTasks(
  pipeline: Pipeline,
  query: ListQuery,
  prepared: PreparedShapes,
): Promise<TaskSample> {
  const rows = await runShape(pipeline, sampleStatement(query), prepared);
  const [hits, totals, walked] = (rows[0] ?? []).map((array) =>
    (array ?? '').slice(1, -1).split(',').map(Number),
  );
  if (rows.length !== 1 || hits === undefined || totals === undefined || walked === undefined) {
    throw impossibleRows('no one sample');
  }
  return {
    hits,
    termHits: totals.slice(0, -1),
    tasks: totals.at(-1)!,
    walkedTasks: walked[0]!,
  };
}

export async function ping(pipeline: Pipeline): Promise<void> {
  await pipeline.run(pingText, []);
}

function isCount(text: string | null | undefined): text is string {
  return text !== undefined && text !== null && /^-?\d{1,19}$/.test(text);
}

/** A shape that is not prepared is parsed and planned each time. */
async function runShape(
  pipeline: Pipeline,
  { text, values }: Statement,
  prepared: PreparedShapes,
): Promise<Values[]> {
  return pipeline.run(text, values, prepared.keeps(text));
}
