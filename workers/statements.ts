/**
 * Every SQL statement of the request path. Each is one statement, so one transaction; each takes
 * a whole batch as arrays, so that one prepared statement serves every batch size.
 */
import type { Kind } from '../src/contract/endpoints.ts';
import type { ListQuery } from '../src/contract/list-query.ts';
import type { Client } from '../src/database/client.ts';
import { bigintArray, textArray } from './arrays.ts';
import type { TaskChange, TaskDraft } from './decode.ts';

/** Column values as PostgreSQL's text: a bigint stays exact and a timestamp keeps its digits. */
export interface TaskRow {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly assigneeId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A page, the number of tasks in the whole list, and the generation of the snapshot of both. */
export interface TaskPage {
  readonly rows: readonly TaskRow[];
  readonly total: number;
  readonly generation: string;
}

const columns = 'id, version, title, description, status, assignee_id, created_at, updated_at';

const readText = `SELECT ${columns} FROM tasks WHERE id = ANY($1::bigint[])`;

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
  RETURNING ${prefixed('task')}`;

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

/** The page, its total and its generation come from one statement, so from one snapshot. */
export async function listTasks(sql: Client, query: ListQuery): Promise<TaskPage> {
  const { text, values } = listStatement(query);
  const offset = (query.page - 1) * query.perPage;
  const rows = await run(sql, text, [String(query.perPage), String(offset), ...values]);
  const [generation, total] = rows[0]!;
  return {
    generation: generation!,
    total: Number(total),
    // Without a task on the page there is still one row: the state beside nulls.
    rows: rows.filter((row) => row[2] !== null).map((row) => toTaskRow(row.slice(2))),
  };
}

export async function ping(sql: Client): Promise<void> {
  await run(sql, pingText, []);
}

/**
 * The statements of a kind, once on this connection and without effect, so that no request pays for
 * preparing them: empty arrays change nothing and make no generation step.
 */
export const warmStatements: Readonly<Record<Kind, (client: Client) => Promise<unknown>>> = {
  read: (client) => readTasks(client, []),
  create: (client) => createTasks(client, []),
  change: (client) => changeTasks(client, []),
  remove: (client) => removeTasks(client, []),
  async list(client) {
    for (const query of listShapes) await listTasks(client, { page: 1, perPage: 0, ...query });
    await ping(client);
  },
};

const listShapes: readonly Partial<ListQuery>[] = [
  {},
  { status: 'pending' },
  { assigneeId: 0 },
  { status: 'pending', assigneeId: 0 },
];

/** At most eight texts: which of the three filters are there decides the text. */
function listStatement(query: ListQuery): { text: string; values: string[] } {
  const conditions: string[] = [];
  const values: string[] = [];
  const condition = (column: string, type: string, value: string | number): void => {
    values.push(String(value));
    conditions.push(`${column} = $${values.length + 2}::${type}`);
  };
  if (query.status !== undefined) condition('status', 'text', query.status);
  if (query.title !== undefined) condition('title', 'text', query.title);
  if (query.assigneeId !== undefined) condition('assignee_id', 'bigint', query.assigneeId);

  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const total = totalExpression(query, where);
  // No row beyond the total is looked for: a page far behind the end reads nothing.
  const text = `
    SELECT state.generation, state.matching, ${prefixed('page')}
    FROM (SELECT generation, ${total} AS matching FROM tasks_state) AS state
    LEFT JOIN LATERAL (
      SELECT ${columns} FROM tasks ${where} ORDER BY id
      LIMIT CASE WHEN $2::bigint < state.matching THEN $1::bigint ELSE 0 END OFFSET $2::bigint
    ) AS page ON true
    ORDER BY page.id`;
  return { text, values };
}

/** The triggers keep the totals of all tasks and of each status; other lists are counted. */
function totalExpression(query: ListQuery, where: string): string {
  if (query.title !== undefined || query.assigneeId !== undefined) {
    return `(SELECT count(*) FROM tasks ${where})`;
  }
  if (query.status === undefined) return 'total';
  return `CASE $3::text WHEN 'pending' THEN pending WHEN 'in_progress' THEN in_progress
    WHEN 'completed' THEN completed WHEN 'done' THEN done ELSE canceled END`;
}

type Values = readonly (string | null)[];

/** Parameters go as text: PostgreSQL parses them by the types that the statement names. */
async function run(sql: Client, text: string, parameters: string[]): Promise<Values[]> {
  const rows = await sql.unsafe(text, parameters, { prepare: true }).values();
  return rows as unknown as Values[];
}

function toTaskRow(values: Values): TaskRow {
  const [id, version, title, description, status, assigneeId, createdAt, updatedAt] = values;
  return {
    id: id!,
    version: version!,
    title: title!,
    description: description!,
    status: status!,
    assigneeId: assigneeId!,
    createdAt: createdAt!,
    updatedAt: updatedAt!,
  };
}

function prefixed(alias: string): string {
  return columns
    .split(', ')
    .map((column) => `${alias}.${column}`)
    .join(', ');
}
