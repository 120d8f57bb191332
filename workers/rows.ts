/** What a row of tasks is. */
import type { Values } from '../src/database/wire/row.ts';

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

/** @param values of `taskColumns`, in their order. */
export function toTaskRow(values: Values): TaskRow {
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
