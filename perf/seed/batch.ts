/**
 * Inserts many tasks in one statement. COPY would be a little faster, but postgres.js 3.4 loses an
 * error that the server reports after the last byte of a COPY (disk full, a trigger), and then
 * waits for ever.
 */
import { bigintArray, textArray } from '../../src/tasks/arrays.ts';
import type { SeededTask } from './task.ts';

/** The ids follow the order of the arrays. */
export const insertBatch = `
  INSERT INTO tasks (title, description, status, assignee_id, created_at, updated_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[],
    $6::timestamptz[])`;

export function batchValues(tasks: readonly SeededTask[]): string[] {
  return [
    textArray(tasks.map(({ title }) => title)),
    textArray(tasks.map(({ description }) => description)),
    textArray(tasks.map(({ status }) => status)),
    bigintArray(tasks.map(({ assigneeId }) => assigneeId)),
    textArray(tasks.map(({ createdAt }) => createdAt)),
    textArray(tasks.map(({ updatedAt }) => updatedAt)),
  ];
}
