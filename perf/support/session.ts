/** The frame of a measuring program: opens the database, and always closes it in order. */
import { resolve } from 'node:path';
import { endChildrenOnSignals, stopChildren } from './children.ts';
import { type PerfDatabase, startDatabase } from './database.ts';

export async function runSession(
  dataDir: string,
  measure: (database: PerfDatabase) => Promise<void>,
): Promise<void> {
  endChildrenOnSignals();
  try {
    const database = await startDatabase(resolve(dataDir));
    try {
      await measure(database);
    } finally {
      await stopChildren();
      await database.trim().catch(() => undefined);
      await database.stop();
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
