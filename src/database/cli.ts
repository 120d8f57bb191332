/** The commands behind `make db-…`: `cli.js <command> [--test]`. */
import { parseArgs } from 'node:util';
import { type Config, type DatabaseConfig, loadConfig } from '../config.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';
import { exitOnUncaught } from '../telemetry/uncaught.ts';
import { createDatabaseIfMissing } from './create-database.ts';
import { startEmbedded, stopEmbedded } from './embedded.ts';
import { withLane } from './lane.ts';
import { migrateDown, migrateUp, migrationStatus } from './migrate.ts';
import { assertPooling } from './pooling.ts';
import { recount } from './recount.ts';
import { withSession } from './session.ts';
import { type Place, withDatabase } from './with-database.ts';

interface Target extends Place {
  /** What the service uses, perhaps a pooler in front of `database`. */
  readonly served: DatabaseConfig | null;
  readonly log: Logger;
}

const askTimeoutMs = 10_000;
/** Of a few million tasks it takes seconds; whoever asks for it waits. */
const recountOptions = { applicationName: 'tasks recount', statementTimeoutMs: 0 };

const commands: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  up,
  down,
  'migrate-up': (target) =>
    onDatabase(target, async (database) => {
      const ran = await migrateUp(database, target.log);
      if (ran === 0) target.log.info('the schema is up to date');
    }),
  'migrate-down': (target) =>
    onDatabase(target, async (database) => {
      const ran = await migrateDown(database, target.log);
      if (ran === 0) target.log.info('no migration has run');
    }),
  recount: (target) =>
    onDatabase(target, async (database) => {
      const found = await withLane(database, recountOptions, recount);
      target.log.info('counted all tasks anew; this was wrong', { ...found });
    }),
  status: (target) =>
    onDatabase(target, async (database) => {
      target.log.info('schema', { ...(await migrationStatus(database)) });
    }),
};

const role = 'database';
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) =>
  fail(createLogger({ level: 'info', role }), messageOf(error)),
);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { test: { type: 'boolean', default: false } },
  });
  const [name = ''] = positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  // Test databases are made to be thrown away: nobody has to ask for an embedded one.
  const result = loadConfig(values.test ? 'tests' : 'tool');
  const { secrets, lookAlikes } = result;
  const log = createLogger({ level: 'info', role, secrets });
  exitOnUncaught(log, 'a bug ended the command', 1);
  if (command === undefined)
    return fail(log, `expected one of ${Object.keys(commands).join(', ')}`);
  if (lookAlikes.length > 0) log.warn('variables that are not known', { names: lookAlikes });
  if (!result.ok) return fail(log, `the configuration is not valid:\n${result.faults.join('\n')}`);
  try {
    await command(targetOf(result.config, values.test, log));
    return 0;
  } catch (error) {
    return fail(log, messageOf(error));
  }
}

function targetOf(config: Config, test: boolean, log: Logger): Target {
  return test
    ? {
        database: config.testDatabase,
        served: config.testDatabase,
        dataDir: `${config.dataDir}/test`,
        log,
      }
    : { database: config.directDatabase, served: config.database, dataDir: config.dataDir, log };
}

/** What stands in front of it must be what the configuration says, before anything is written. */
function onDatabase(
  target: Target,
  use: (database: DatabaseConfig) => Promise<void>,
): Promise<void> {
  return withDatabase(target, target.log, async (database) => {
    if (target.served !== null) await assertPooling(target.served, database);
    await use(database);
  });
}

/** An embedded server is left running; a configured one is only looked for. */
async function up({ database, served, dataDir, log }: Target): Promise<void> {
  const embedded = database === null ? await startEmbedded({ dataDir, log, keep: true }) : null;
  const reached = database ?? embedded!.config;
  try {
    if (served !== null) await assertPooling(served, reached);
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fail(log: Logger, message: string): number {
  log.error(message);
  return 1;
}
