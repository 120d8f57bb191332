/** The commands behind `make db-…`: `cli.js <command> [--test]`. */
import { parseArgs } from 'node:util';
import { type Config, type DatabaseConfig, loadConfig } from '../config.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';
import { createDatabaseIfMissing } from './create-database.ts';
import { startEmbedded, stopEmbedded } from './embedded.ts';
import { migrateDown, migrateUp, migrationStatus } from './migrate.ts';
import { recount } from './recount.ts';
import { withSession } from './session.ts';
import { type Place, withDatabase } from './with-database.ts';

interface Target extends Place {
  readonly log: Logger;
}

const askTimeoutMs = 10_000;
const noTimeout = 0;

const commands: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  up,
  down,
  'migrate-up': (target) =>
    withDatabase(target, target.log, async (database) => {
      const ran = await migrateUp(database, target.log);
      if (ran === 0) target.log.info('the schema is up to date');
    }),
  'migrate-down': (target) =>
    withDatabase(target, target.log, async (database) => {
      const ran = await migrateDown(database, target.log);
      if (ran === 0) target.log.info('no migration has run');
    }),
  recount: (target) =>
    withDatabase(target, target.log, async (database) => {
      const found = await withSession(database, noTimeout, recount);
      target.log.info('counted all tasks anew; this was wrong', { ...found });
    }),
  status: (target) =>
    withDatabase(target, target.log, async (database) => {
      target.log.info('schema', { ...(await migrationStatus(database)) });
    }),
};

const log = createLogger({ level: 'info', role: 'database' });
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) =>
  fail(error instanceof Error ? error.message : String(error)),
);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { test: { type: 'boolean', default: false } },
  });
  const [name = ''] = positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return fail(`expected one of ${Object.keys(commands).join(', ')}`);
  const result = loadConfig();
  if (!result.ok) return fail(`the configuration is not valid:\n${result.faults.join('\n')}`);
  await command(targetOf(result.config, values.test));
  return 0;
}

function targetOf(config: Config, test: boolean): Target {
  return test
    ? { database: config.testDatabase, dataDir: `${config.dataDir}/test`, log }
    : { database: config.database, dataDir: config.dataDir, log };
}

/** An embedded server is left running; a configured one is only looked for. */
async function up({ database, dataDir, log }: Target): Promise<void> {
  const embedded = database === null ? await startEmbedded({ dataDir, log, keep: true }) : null;
  const reached = database ?? embedded!.config;
  try {
    await createDatabaseIfMissing(reached, log);
    log.info('the database is up', {
      version: await versionOf(reached),
      psql: psqlCommand(reached),
    });
  } finally {
    await embedded?.stop();
  }
}

async function down({ database, dataDir, log }: Target): Promise<void> {
  if (database !== null) throw new Error('only the embedded database can be stopped from here');
  log.info((await stopEmbedded(dataDir)) ? 'the database is down' : 'no database was running');
}

function versionOf(database: DatabaseConfig): Promise<string> {
  return withSession(database, askTimeoutMs, async (sql) => {
    const [row] = await sql<{ server_version: string }[]>`SHOW server_version`;
    return row!.server_version;
  });
}

/** For the shell. psql asks for the password itself. */
function psqlCommand({ host, port, user, name, sslMode, sslRootCert }: DatabaseConfig): string {
  const words = Object.entries({ host, port, user, dbname: name, sslmode: sslMode })
    .concat(sslRootCert === null ? [] : [['sslrootcert', sslRootCert]])
    .map(([key, value]) => `${key}=${/^[\w./:-]+$/.test(`${value}`) ? value : `'${value}'`}`);
  return `psql "${words.join(' ')}"`;
}

function fail(message: string): number {
  log.error(message);
  return 1;
}
