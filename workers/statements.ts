/**
 * The SQL of plain requests; conditional-statements.ts and keyed-create.ts have that of the others.
 * Each is one statement, so one transaction; each takes a whole batch as arrays, so that one
 * prepared statement serves every batch size.
 */
import type { ListQuery } from '../src/contract/list-query.ts';
import { type Client, runStatement } from '../src/database/client.ts';
import { bigintArray, textArray } from './arrays.ts';
import type { TaskChange, TaskDraft } from './decode.ts';
import {
  listStatement,
  prefixed,
  type Statement,
  sampleStatement,
  taskColumns,
} from './list-statement.ts';
import type { PreparedShapes } from './prepared-shapes.ts';
import { run, type TaskRow, toTaskRow, type Values } from './rows.ts';
import type { SearchPlan, TaskSample } from './search-plans.ts';

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
  INSERT INTO tasks (title, description, status, assignee_id)
  SELECT title, description, status, assignee_id
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY
    AS draft(title, description, status, assignee_id, place)
  ORDER BY place
  RETURNING id, version, created_at, updated_at`;

// The locks are taken in ascending order of id, so that two batches can never wait for each other.
// greatest(): a transaction that began earlier may commit later; updated_at must not go back.
const changeText = `
  WITH change AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[])
      AS change(id, title, description, status, assignee_id)
  ), locked AS MATERIALIZED (
    SELECT id FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
  )
  UPDATE tasks AS task SET
    title = coalesce(change.title, task.title),
    description = coalesce(change.description, task.description),
    status = coalesce(change.status, task.status),
    assignee_id = coalesce(change.assignee_id, task.assignee_id),
    version = task.version + 1,
    updated_at = greatest(now(), task.updated_at)
  FROM locked JOIN change USING (id)
  WHERE task.id = locked.id
  RETURNING ${prefixed('task', taskColumns)}`;

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
  const rows = await run(sql, createText, [
    textArray(drafts.map((draft) => draft.title)),
    textArray(drafts.map((draft) => draft.description)),
    textArray(drafts.map((draft) => draft.status)),
    bigintArray(drafts.map((draft) => draft.assigneeId)),
  ]);
  return rows.map(([id, version, createdAt, updatedAt], place) => {
    const { title, description, status, assigneeId } = drafts[place]!;
    return {
      id: id!,
      version: version!,
      title,
      description,
      status,
      assigneeId: String(assigneeId),
      createdAt: createdAt!,
      updatedAt: updatedAt!,
    };
  });
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
    textArray(changes.map((change) => change.title)),
    textArray(changes.map((change) => change.description)),
    textArray(changes.map((change) => change.status)),
    bigintArray(changes.map((change) => change.assigneeId)),
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
