/** `make db-seed ROWS=…`: adds tasks to those in the database that the service uses. */
import { loadConfig } from '../../src/config/load.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { withSession } from '../../src/database/session.ts';
import { withDatabase } from '../../src/embedded/with-database.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createProgress } from './progress.ts';
import { seedTasks } from './seed.ts';

const rowsMax = 100_000_000;
const result = loadConfig();
const log = createLogger({ level: 'info', role: 'seed', secrets: result.secrets });
const interruption = new AbortController();

// A second signal ends the process at once; the server then rolls back.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => interruption.abort(new Error('interrupted: no task was added')));
}
await main(process.argv[2] ?? '').catch((error: unknown) => {
  log.error(error instanceof Error ? error.message : String(error));
  process.exitCode = interruption.signal.aborted ? 130 : 1;
});

async function main(text: string): Promise<void> {
  const rows = Number(text);
  if (!/^\d+$/.test(text) || rows < 1 || rows > rowsMax) {
    throw new Error(
      `ROWS: expected a whole number from 1 to ${rowsMax}, got ${JSON.stringify(text)}`,
    );
  }
  if (!result.ok) throw new Error(`the configuration is not valid:\n${result.faults.join('\n')}`);
  const progress = createProgress();
  const { signal } = interruption;
  const { directDatabase, dataDir } = result.config;
  await withDatabase({ database: directDatabase, dataDir }, log, async (database) => {
    await migrateUp(database, log);
    const began = performance.now();
    try {
      await withSession(database, 0, (sql) =>
        seedTasks(sql, { rows, progress: progress.show, signal }),
      );
    } finally {
      progress.end();
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    log.info('added tasks', { rows, seconds });
  });
}
