/** The commands behind `make db-…`: `cli.js <command> [--test]`. */
import { parseArgs } from 'node:util';
import { type Config, type DatabaseConfig, loadConfig } from '../config.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';
import { createDatabaseIfMissing } from './create-database.ts';
import { startEmbedded, stopEmbedded } from './embedded.ts';
import { migrateDown, migrateUp, migrationStatus } from './migrate.ts';

interface Target {
  /** `null`: the embedded server in `dataDir`. */
  readonly database: DatabaseConfig | null;
  readonly dataDir: string;
  readonly log: Logger;
}

const commands: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  up,
  down,
  'migrate-up': (target) =>
    withDatabase(target, async (database) => {
      const ran = await migrateUp(database, target.log);
      if (ran === 0) target.log.info('the schema is up to date');
    }),
  'migrate-down': (target) =>
    withDatabase(target, async (database) => {
      const ran = await migrateDown(database, target.log);
      if (ran === 0) target.log.info('no migration has run');
    }),
  status: (target) =>
    withDatabase(target, async (database) => {
      target.log.info('schema', { ...(await migrationStatus(database)) });
    }),
};

const log = createLogger({ level: 'info', role: 'database' });
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { test: { type: 'boolean', default: false } },
});
const command = commands[positionals[0] ?? ''];
const config = loadConfig();
if (command === undefined) {
  fail(`expected one of ${Object.keys(commands).join(', ')}`);
} else if (!config.ok) {
  fail(`the configuration is not valid:\n${config.faults.join('\n')}`);
} else {
  await command(targetOf(config.config, values.test)).catch((error: Error) => fail(error.message));
}

function targetOf(config: Config, test: boolean): Target {
  return test
    ? { database: config.testDatabase, dataDir: `${config.dataDir}/test`, log }
    : { database: config.database, dataDir: config.dataDir, log };
}

async function up({ database, dataDir, log }: Target): Promise<void> {
  const { config, stop } =
    database === null
      ? await startEmbedded({ dataDir, log, keep: true })
      : { config: database, stop: () => Promise.resolve() };
  await createDatabaseIfMissing(config, log);
  await stop();
  log.info('the database is up', {
    psql: `psql -h ${config.host} -p ${config.port} -U ${config.user} ${config.name}`,
  });
}

async function down({ database, dataDir, log }: Target): Promise<void> {
  if (database !== null) throw new Error('only the embedded database can be stopped from here');
  log.info((await stopEmbedded(dataDir)) ? 'the database is down' : 'no database was running');
}

/** An embedded server that is not running is started for the command alone. */
async function withDatabase(
  { database, dataDir, log }: Target,
  use: (database: DatabaseConfig) => Promise<void>,
): Promise<void> {
  if (database !== null) return use(database);
  const embedded = await startEmbedded({ dataDir, log });
  try {
    await use(embedded.config);
  } finally {
    await embedded.stop();
  }
}

function fail(message: string): void {
  log.error(message);
  process.exitCode = 1;
}
