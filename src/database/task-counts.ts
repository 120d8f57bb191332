/** How many tasks there are by status, as the triggers count them: one row, whoever wrote. */
import type { DatabaseConfig } from '../config.ts';
import { type Client, createClient } from './client.ts';
import { createLane } from './lane.ts';

export interface TaskCounts {
  /** Rejects when the database does not answer in time. Who asks meanwhile gets the same answer. */
  read(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

const timeoutMs = 1000;

export function createTaskCounts(database: DatabaseConfig): TaskCounts {
  const lane = createLane(
    (onClose): Client =>
      createClient(database, {
        max: 1,
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

async function readCounts(client: Client): Promise<Readonly<Record<string, number>>> {
  const rows = await client<Record<string, string>[]>`
    SELECT pending, in_progress, completed, done, canceled FROM tasks_state`;
  return Object.fromEntries(
    Object.entries(rows[0]!).map(([status, count]) => [status, Number(count)]),
  );
}

/** A server that says nothing while it is connected to is not noticed before the lane's limit. */
function late(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('timed out')), timeoutMs).unref();
  });
}
