/**
 * The SQL of plain requests; conditional-statements.ts and keyed-create.ts have that of the others.
 * Each is one statement, so one transaction; each takes a whole batch as arrays, so that one
 * prepared statement serves every batch size.
 */
import type { ListQuery } from '../src/contract/list-query.ts';
import { type Client, runStatement } from '../src/database/client.ts';
import { bigintArray } from './arrays.ts';
import { listStatement, type Statement, sampleStatement } from './list-statement.ts';
import type { PreparedShapes } from './prepared-shapes.ts';
import { run, type Values } from './rows.ts';
import type { SearchPlan, TaskSample } from './search-plans.ts';
import {
  arrayParameters,
  arraysOf,
  assignments,
  createdRow,
  prefixed,
  type TaskChange,
  type TaskDraft,
  type TaskRow,
  taskColumns,
  toTaskRow,
  writtenColumns,
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

// ORDER BY place: rows are inserted, numbered and returned in the order of the requests.
const createText = `
  INSERT INTO tasks (${writtenColumns})
  SELECT ${writtenValues}
  FROM unnest(${arrayParameters(1)}) WITH ORDINALITY AS draft(${writtenColumns}, place)
  ORDER BY place
  RETURNING id, version, created_at, updated_at`;

// The locks are taken in ascending order of id, so that two batches can never wait for each other.
// greatest(): a transaction that began earlier may commit later; updated_at must not go back.
const changeText = `
  WITH change AS (
    SELECT * FROM unnest($1::bigint[], ${arrayParameters(2)}) AS change(id, ${writtenColumns})
  ), locked AS MATERIALIZED (
    SELECT id FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
  )
  UPDATE tasks AS task SET
    ${assignments('change.')},
    version = task.version + 1,
    updated_at = greatest(now(), task.updated_at)
  FROM locked JOIN change USING (id)
  WHERE task.id = locked.id
  RETURNING ${prefixed('task.', taskColumns)}`;

const removeText = `
  WITH locked AS MATERIALIZED (
    SELECT id FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
  )
  DELETE FROM tasks AS task USING locked WHERE task.id = locked.id RETURNING task.id`;

export const pingText = 'SELECT 1';

export async function readTasks(sql: Client, ids: readonly number[]): Promise<TaskRow[]> {
  const rows = await run(sql, readText, [bigintArray(ids)]);
  return rows.map(toTaskRow);
}

/** @returns one row for each draft, in their order. */
export async function createTasks(sql: Client, drafts: readonly TaskDraft[]): Promise<TaskRow[]> {
  const rows = await run(sql, createText, arraysOf(drafts));
  return rows.map(([id, version, createdAt, updatedAt], place) =>
    createdRow(drafts[place]!, {
      id: id!,
      version: version!,
      createdAt: createdAt!,
      updatedAt: updatedAt!,
    }),
  );
}

/**
 * @param changes each id at most once.
 * @returns the changed tasks, in no order; an id that does not exist has none.
 */
export async function changeTasks(
  sql: Client,
  changes: readonly (TaskChange & { readonly id: number })[],
): Promise<TaskRow[]> {
  const rows = await run(sql, changeText, [
    bigintArray(changes.map((change) => change.id)),
    ...arraysOf(changes),
  ]);
  return rows.map(toTaskRow);
}

/** @returns the ids that were there and are gone. */
export async function removeTasks(sql: Client, ids: readonly number[]): Promise<number[]> {
  const rows = await run(sql, removeText, [bigintArray(ids)]);
  return rows.map(([id]) => Number(id));
}

/** @param prepared decides whether the server keeps the statement. */
export async function listTasks(
  sql: Client,
  query: ListQuery,
  plan: SearchPlan,
  prepared: PreparedShapes,
): Promise<TaskPage> {
  const rows = await runShape(sql, listStatement(query, plan), prepared);
  const [generation, tableTotal, matching, finished] = rows[0]!;
  return {
    generation: generation!,
    tableTotal: Number(tableTotal),
    total: Number(matching),
    totalExact: isTrue(finished),
    // Without a task on the page there is still one row: the state beside nulls.
    rows: rows.filter((row) => row[4] !== null).map((row) => toTaskRow(row.slice(4))),
  };
}

/** The driver makes a boolean of what else would be text. */
function isTrue(value: unknown): boolean {
  return value === true || value === 't';
}

/** See sampleStatement. */
export async function sampleTasks(
  sql: Client,
  query: ListQuery,
  prepared: PreparedShapes,
): Promise<TaskSample> {
  const rows = await runShape(sql, sampleStatement(query), prepared);
  const [hits, totals] = rows[0]!.map((array) => array!.slice(1, -1).split(',').map(Number));
  return { hits: hits!, termHits: totals!.slice(0, -1), tasks: totals!.at(-1)! };
}

export async function ping(sql: Client): Promise<void> {
  await run(sql, pingText, []);
}

/** A shape that is not kept is parsed and planned each time. */
async function runShape(
  sql: Client,
  { text, values }: Statement,
  prepared: PreparedShapes,
): Promise<Values[]> {
  const rows = await runStatement(sql, text, values, prepared.keeps(text));
  return rows as unknown as Values[];
}
