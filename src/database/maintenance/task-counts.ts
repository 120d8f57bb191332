/**
 * How many tasks there are by status, as the triggers count them: one row, whoever wrote. And how many
 * wait until the index of texts has them.
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
  /** How long the first of these has waited; 0: none does. */
  readonly unindexedSeconds: number;
}

export interface TaskCounts {
  /** Rejects when the database does not answer in time. Who asks meanwhile gets the same answer. */
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
    // A server that says nothing while it is connected to is not noticed before the lane's limit.
    reading ??= within(lane.run(readCounts), timeoutMs).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return { read, close: () => lane.close() };
}

const counted = ['pending', 'in_progress', 'completed', 'done', 'canceled'];

/** Some 10 ms. */
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
