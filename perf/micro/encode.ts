/** Benchmarks of encoding rows; a task also with JSON.stringify only. */
import { parseListQuery } from '../../src/contract/list-query.ts';
import { readValues } from '../../src/database/pipeline/row.ts';
import { encodeTaskAnswer } from '../../src/tasks/encode.ts';
import { encodeListAnswer } from '../../src/tasks/encode-list.ts';
import { readTaskAnswer } from '../../src/tasks/item-answers.ts';
import { encodeTask, type TaskRow, toRfc3339, toTaskRow } from '../../src/tasks/task-fields.ts';
import type { SeededTask } from '../seed/task.ts';
import { type Benchmark, pureBenchmark } from './harness/benchmark.ts';
import { makeTasks, seededTasks } from './harness/database.ts';

export function encodeBenchmarks(): Benchmark[] {
  const rows = makeTasks(256).map(toRow);
  const sent = rows.map((row) => rowMessage(Object.values(row)));
  const first = parseListQuery('');
  if (!first.ok) throw new Error('the empty query is a query');
  const page = {
    rows: rows.slice(0, first.query.perPage),
    total: seededTasks,
    totalExact: true,
    tableTotal: seededTasks,
    generation: '1',
  };

  return [
    pureBenchmark('EncodeTask/written', rows, (row) => encodeTask(row).length),
    pureBenchmark('EncodeTask/stringify', rows, (row) => stringifyTask(row).length),
    pureBenchmark('EncodeTaskAnswer', rows, (row) => encodeTaskAnswer(row).length),
    pureBenchmark(
      'TaskAnswer/by-values',
      sent,
      (row) => encodeTaskAnswer(toTaskRow(readValues(row, 0))).length,
    ),
    pureBenchmark('TaskAnswer/by-bytes', sent, (row) => readTaskAnswer(row, 0).body.length),
    pureBenchmark(
      'EncodeListAnswer/tasks=20',
      [page],
      (found) => encodeListAnswer(first.query, found).body.length,
    ),
  ];
}

/** encodeTask without the knowledge of which values need no escaping. */
function stringifyTask(row: TaskRow): string {
  return JSON.stringify({
    id: Number(row.id),
    title: row.title,
    description: row.description,
    status: row.status,
    assigneeID: Number(row.assigneeId),
    createdAt: toRfc3339(row.createdAt),
    updatedAt: toRfc3339(row.updatedAt),
  });
}

/** The row's part of a DataRow message, from the number of columns on. */
export function rowMessage(values: readonly (string | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(values.length);
  const columns = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : Buffer.byteLength(value));
    return Buffer.concat([length, Buffer.from(value ?? '')]);
  });
  return Buffer.concat([count, ...columns]);
}

/** In PostgreSQL's text form. */
function toRow(task: SeededTask, place: number): TaskRow {
  const written = (time: string): string => time.replace('T', ' ').replace('Z', '+00');
  const { title, description, status, assigneeId } = task;
  return {
    id: String(place + 1),
    version: '1',
    title,
    description,
    status,
    assigneeId: String(assigneeId),
    createdAt: written(task.createdAt),
    updatedAt: written(task.updatedAt),
  };
}
