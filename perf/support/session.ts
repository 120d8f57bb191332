/** The frame of a measuring program: the database, and an orderly end whatever happens. */
import { endChildrenOnSignals, stopChildren } from './children.ts';

interface Stoppable {
  stop(): Promise<void>;
}

/** The database stops last, when no process that it serves is left. An error sets the exit code. */
export async function runSession<Database extends Stoppable>(
  start: () => Promise<Database>,
  measure: (database: Database) => Promise<void>,
): Promise<void> {
  endChildrenOnSignals();
  try {
    const database = await start();
    try {
      await measure(database);
    } finally {
      await stopChildren();
      await database.stop();
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
