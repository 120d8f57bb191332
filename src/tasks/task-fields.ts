/**
 * The fields of a task on their way from a body to the table and back. No other file of src/tasks/
 * lists them. Code that runs for each task is written out; texts of statements are built from the
 * table of columns when the modules load.
 */
import type { CreateTask, PatchTask, Status, UpdateTask } from '../contract/task.ts';
import { unreadableTimeError } from '../database/connection-lost.ts';
import { bigintArray, textArray } from './arrays.ts';

/** A task to create. */
export interface TaskDraft {
  readonly title: string;
  readonly description: string;
  readonly status: Status;
  readonly assigneeId: number;
}

/** What a change writes; `null` keeps the field. Only a PATCH may have no field at all. */
export type TaskChange = { readonly [Field in keyof TaskDraft]: TaskDraft[Field] | null };

const descriptionDefault = '';
const statusDefault: Status = 'pending';
const nobody = 0;

export function toDraft(body: CreateTask): TaskDraft {
  return {
    title: body.title,
    description: body.description ?? descriptionDefault,
    status: body.status ?? statusDefault,
    assigneeId: assigneeOf(body) ?? nobody,
  };
}

export function toChange(body: UpdateTask): TaskChange {
  return {
    title: body.title ?? null,
    description: body.description ?? null,
    status: body.status ?? null,
    assigneeId: assigneeOf(body),
  };
}

/** A null in the body resets the field to its default. */
export function toPatch(body: PatchTask): TaskChange {
  const { title = null, description, status } = body;
  return {
    title,
    description: description === undefined ? null : (description ?? descriptionDefault),
    status: status === undefined ? null : (status ?? statusDefault),
    assigneeId: assigneeOf(body),
  };
}

interface Assigned {
  readonly assigneeID?: number | null;
  readonly assignee_id?: number | null;
}

/** The body has both names of the assignee, with different values. */
export function namesTwoAssignees({ assigneeID, assignee_id: alias }: Assigned): boolean {
  return (
    assigneeID !== undefined && alias !== undefined && (assigneeID ?? nobody) !== (alias ?? nobody)
  );
}

/** `null`: not in the body. A null in the body means 0, no assignee. */
function assigneeOf({ assigneeID, assignee_id: alias }: Assigned): number | null {
  if (assigneeID !== undefined) return assigneeID ?? nobody;
  return alias === undefined ? null : (alias ?? nobody);
}

export function changesNothing(change: TaskChange): boolean {
  return (
    change.title === null &&
    change.description === null &&
    change.status === null &&
    change.assigneeId === null
  );
}

/** The columns that clients write, with the types of their array parameters. */
const written = [
  { column: 'title', type: 'text' },
  { column: 'description', type: 'text' },
  { column: 'status', type: 'text' },
  { column: 'assignee_id', type: 'bigint' },
] as const;

/** A setting local to the transaction; it carries a row's index through the statement. */
const placeSetting = `'tasks.place'`;

export const writtenColumns = written.map(({ column }) => column).join(', ');
/**
 * For the SELECT of an INSERT: the values, and a note of the row's index. INSERT processes one row
 * at a time up to its RETURNING. So {@link placeOfRow} gives the index of that row, whatever
 * triggers change in it and however many rows they skip.
 */
export const writtenValues = writtenColumns.replace(
  'title',
  `CASE WHEN set_config(${placeSetting}, place::text, true) <> '' THEN title END`,
);
export const placeOfRow = `current_setting(${placeSetting})`;
export const columnsBesideId = `version, ${writtenColumns}, created_at, updated_at`;
export const taskColumns = `id, ${columnsBesideId}`;

/** In the order of `written`. */
export function arraysOf(values: readonly TaskChange[]): string[] {
  return [
    textArray(values.map((value) => value.title)),
    textArray(values.map((value) => value.description)),
    textArray(values.map((value) => value.status)),
    bigintArray(values.map((value) => value.assigneeId)),
  ];
}

/** The parameters of {@link arraysOf}, from `$first` on. */
export function arrayParameters(first: number): string {
  return written.map(({ type }, place) => `$${first + place}::${type}[]`).join(', ');
}

/** One draft, in the order of `written`. */
export function parametersOf({ title, description, status, assigneeId }: TaskDraft): string[] {
  return [title, description, status, String(assigneeId)];
}

/** The parameters of {@link parametersOf}, from `$first` on. */
export function writtenParameters(first: number): string {
  return written.map(({ type }, place) => `$${first + place}::${type}`).join(', ');
}

/** The columns, each with a prefix: `task.` or `new_`. */
export function prefixed(prefix: string, columns: string): string {
  return columns
    .split(', ')
    .map((column) => prefix + column)
    .join(', ');
}

/** For SET: each column gets the value of the change, or keeps its own. */
export function assignments(change: string): string {
  return written
    .map(({ column }) => `${column} = coalesce(${change}${column}, task.${column})`)
    .join(', ');
}

/** The columns of a task as texts, read from `row`. */
export function columnTexts(row: string): string[] {
  return taskColumns.split(', ').map((column) => `${row}.${column}::text`);
}

/** A SQL condition: the task equals the draft, and this transaction created it. */
export function isAsDrafted(task: string, draft: string): string {
  const fields = written.map(({ column }) => `${task}.${column} = ${draft}.${column}`);
  return [
    ...fields,
    `${task}.version = 1`,
    `${task}.created_at = now()::timestamptz(3)`,
    `${task}.updated_at = ${task}.created_at`,
  ].join(' AND ');
}

/** The texts of a task that equals its draft. */
export function draftedTexts(draft: string, id: string, createdAt: string): string[] {
  const fields = written.map(({ column }) => `${draft}.${column}::text`);
  return [`${id}::text`, `'1'`, ...fields, `${createdAt}::text`, `${createdAt}::text`];
}

/** The fingerprint of a create with a key. Equal for bodies with the same meaning. */
export function meaningOf({ title, description, status, assigneeId }: TaskDraft): string {
  return JSON.stringify([title, description, status, assigneeId]);
}

/** Column values in PostgreSQL's text form: a bigint stays exact, a timestamp keeps its digits. */
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

export const taskColumnCount = 8;

/** @param values of `taskColumns`, in their order. */
export function toTaskRow(values: readonly (string | null)[]): TaskRow {
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

/**
 * Written out, because only two texts need escaping: perf/micro/encode.ts measures both ways. Only
 * ASCII needs escaping, so the texts may be undecoded UTF-8 with one character for each byte.
 */
export function encodeTask(row: TaskRow): string {
  return (
    `{"id":${row.id},"title":${quote(row.title)},` +
    `"description":${quote(row.description)},"status":"${row.status}",` +
    `"assigneeID":${row.assigneeId},"createdAt":"${toRfc3339(row.createdAt)}",` +
    `"updatedAt":"${toRfc3339(row.updatedAt)}"}`
  );
}

/** The characters that JSON must escape. contract/values.ts rejects lone surrogates earlier. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const escaped = /["\\\u0000-\u001f]/;

function quote(text: string): string {
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const dash = 0x2d;
const space = 0x20;
const otherZone =
  /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?$/;

/**
 * Converts PostgreSQL's `2025-12-05 12:00:00.12+00` (DateStyle ISO, TimeZone UTC, timestamptz(3))
 * to `2025-12-05T12:00:00.120Z` without a Date.
 * @throws for any other form.
 */
export function toRfc3339(timestamp: string): string {
  const isExpected =
    timestamp.charCodeAt(4) === dash &&
    timestamp.charCodeAt(10) === space &&
    timestamp.endsWith('+00');
  if (!isExpected) return fromOtherZone(timestamp);
  const fraction = timestamp.slice(20, -3);
  return `${timestamp.slice(0, 10)}T${timestamp.slice(11, 19)}.${fraction.padEnd(3, '0')}Z`;
}

/** A trigger may have set another TimeZone or DateStyle for the transaction. */
function fromOtherZone(timestamp: string): string {
  const match = otherZone.exec(timestamp);
  if (match === null) throw unreadableTimeError();
  const [, date, time, sign, hours, minutes = '0', seconds = '0'] = match;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  const local = Date.parse(`${date}T${time}Z`);
  const moment = new Date(local - (sign === '-' ? -offset : offset) * 1000);
  if (Number.isNaN(moment.getTime())) throw unreadableTimeError();
  return moment.toISOString();
}
