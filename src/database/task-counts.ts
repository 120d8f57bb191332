/** How many tasks there are by status, as the triggers count them: one row, whoever wrote. */
import type { DatabaseConfig } from '../config.ts';
import { createLane } from './lane.ts';
import { openPipeline, type Pipeline } from './wire/pipeline.ts';
import { countOf, oneRow } from './wire/row.ts';

export interface TaskCounts {
  /** Rejects when the database does not answer in time. Who asks meanwhile gets the same answer. */
  read(): Promise<Readonly<Record<string, number>>>;
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
  let reading: Promise<Readonly<Record<string, number>>> | undefined;

  function read(): Promise<Readonly<Record<string, number>>> {
    reading ??= Promise.race([lane.run(readCounts), late()]).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return { read, close: () => lane.close() };
}

const counted = ['pending', 'in_progress', 'completed', 'done', 'canceled'];

async function readCounts(pipeline: Pipeline): Promise<Readonly<Record<string, number>>> {
  const rows = await pipeline.run(
    `SELECT ${counted.join(', ')} FROM tasks_state WHERE only_row`,
    [],
  );
  const row = oneRow(rows, counted.length);
  return Object.fromEntries(counted.map((status, place) => [status, countOf(row[place]!)]));
}

/** A server that says nothing while it is connected to is not noticed before the lane's limit. */
function late(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('timed out')), timeoutMs).unref();
  });
}
