/**
 * The number of tasks by status, from the one row that the triggers keep up to date for every
 * writer, and the number of tasks that the text index lacks.
 */

import { within } from '../../base/within.ts';
import type { DatabaseConfig } from '../../config/config.ts';
import { createLane } from '../lane.ts';
import { openPipeline, type Pipeline } from '../pipeline/pipeline.ts';
import { countOf, oneRow } from '../pipeline/row.ts';

export interface TaskNumbers {
  readonly byStatus: Readonly<Record<string, number>>;
  /** Counted up to a bound. */
  readonly unindexed: number;
  /** Age of the oldest unindexed task in seconds; 0: none. */
  readonly unindexedSeconds: number;
}

export interface TaskCounts {
  /** Rejects when the database does not answer in time. Concurrent callers share one read. */
  read(): Promise<TaskNumbers>;
  close(): Promise<void>;
}

const timeoutMs = 1000;

export function createTaskCounts(database: DatabaseConfig): TaskCounts {
  const lane = createLane(
    (onClose) =>
      openPipeline(database, {
        applicationName: 'tasks primary',
        statementTimeoutMs: timeoutMs,
        onClose,
      }),
    timeoutMs,
  );
  let reading: Promise<TaskNumbers> | undefined;

  function read(): Promise<TaskNumbers> {
    // A server that is silent during the connect is only noticed by the lane's longer limit.
    reading ??= within(lane.run(readCounts), timeoutMs).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return { read, close: () => lane.close() };
}

const counted = ['pending', 'in_progress', 'completed', 'done', 'canceled'];

/** Counting this many takes some 10 ms. */
const unindexedMax = 100_000;
const text = `
  SELECT ${counted.join(', ')}, waiting, ceil(coalesce(extract(epoch FROM now() - oldest), 0))::bigint
  FROM tasks_state, (
    SELECT count(*) AS waiting, min(queued_at) AS oldest
    FROM (SELECT queued_at FROM tasks_unindexed LIMIT ${unindexedMax}) AS some_of_them
  ) AS queue
  WHERE only_row`;

async function readCounts(pipeline: Pipeline): Promise<TaskNumbers> {
  const row = oneRow(await pipeline.run(text, []), counted.length + 2);
  const numbers = row.map(countOf);
  return {
    byStatus: Object.fromEntries(counted.map((status, place) => [status, numbers[place]!])),
    unindexed: numbers[counted.length]!,
    unindexedSeconds: Math.max(0, numbers[counted.length + 1]!),
  };
}
