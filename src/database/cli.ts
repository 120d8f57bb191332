/**
 * The commands behind `make db-…`: `cli.js <command> [--test]`. The exit code is 0 or 1; `status`
 * has its own codes (statusCodes).
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../base/error-message.ts';
import type { Config, DatabaseConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { startEmbedded, stopEmbedded } from '../embedded/embedded.ts';
import { type DatabaseChoice, withDatabase } from '../embedded/with-database.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';
import { exitOnUncaught } from '../telemetry/uncaught.ts';
import { innermostCode, placeOf } from './failure-reason.ts';
import { withLane } from './lane.ts';
import { recount } from './maintenance/recount.ts';
import { createDatabaseIfMissing } from './migrate/create-database.ts';
import { migrateDown, migrateUp, migrationStatus, type SchemaState } from './migrate/migrate.ts';
import { replacedMessage } from './migrate/replaced-files.ts';
import { assertPooling } from './pooling.ts';
import { withSession } from './session.ts';

interface Target extends DatabaseChoice {
  /** The connection of the service: `database` itself, or a pooler in front of it. */
  readonly served: DatabaseConfig | null;
  readonly log: Logger;
}

const askTimeoutMs = 10_000;
const databaseMissing = '3D000';
/** A recount of a few million tasks takes seconds, so it has no timeout. */
const recountOptions = { applicationName: 'tasks recount', statementTimeoutMs: 0 };

/** Exit codes for scripts. `make` itself always exits with 2 on failure. */
const statusCodes: Readonly<Record<SchemaState, number>> = {
  ready: 0,
  behind: 3,
  missing: 4,
  dirty: 5,
  newer: 6,
  unknown: 6,
  replaced: 7,
};

const statusMessages: Readonly<Record<Exclude<SchemaState, 'replaced'>, string>> = {
  ready: 'the schema is up to date',
  behind: 'the schema is behind: run make db-migrate-up',
  missing: 'there is no schema yet: run make db-migrate-up',
  dirty:
    'the schema is dirty: a migration of another tool is under way, or was interrupted half way; ' +
    'repair it by hand, then set schema_migrations.dirty to false',
  newer: 'the schema is newer than this release: run the one that made it, or a newer one',
  unknown: 'there is no migration file of the version that the schema is at',
};

/** @returns an exit code; anything else counts as 0. */
type Command = (target: Target) => Promise<unknown>;

const commands: Readonly<Record<string, Command>> = {
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
  async status(target) {
    let state: SchemaState = 'missing';
    await onDatabase(target, async (database) => {
      state = await tellStatus(database, target.log);
    });
    return statusCodes[state];
  },
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
  // Test databases are disposable, so an embedded server needs no consent here.
  const result = loadConfig(values.test ? 'tests' : 'tool');
  const { secrets, lookAlikes } = result;
  const log = createLogger({ level: 'info', role, secrets });
  exitOnUncaught(log, 'a bug ended the command', 1);
  if (command === undefined)
    return fail(log, `expected one of ${Object.keys(commands).join(', ')}`);
  if (lookAlikes.length > 0) log.warn('variables that are not known', { names: lookAlikes });
  if (!result.ok) return fail(log, `the configuration is not valid:\n${result.faults.join('\n')}`);
  try {
    const code = await command(targetOf(result.config, values.test, log));
    return typeof code === 'number' ? code : 0;
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
        embeddedName: config.testDatabaseName,
        log,
      }
    : { database: config.directDatabase, served: config.database, dataDir: config.dataDir, log };
}

/** Checks the pooling mode first: the configuration must match it before anything is written. */
function onDatabase(
  target: Target,
  use: (database: DatabaseConfig) => Promise<void>,
): Promise<void> {
  return withDatabase(target, target.log, async (database) => {
    if (target.served !== null) await assertPooling(target.served, database);
    await use(database);
  });
}

/** Starts an embedded server and leaves it running. A configured server is only checked. */
async function up({ database, served, dataDir, embeddedName, log }: Target): Promise<void> {
  const embedded =
    database === null
      ? await startEmbedded({ dataDir, log, keep: true, databaseName: embeddedName })
      : null;
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
  if (database !== null) {
    const variable = (database.source ?? 'DB').endsWith('URL')
      ? database.source
      : `${database.source === 'TEST_DB' ? 'TEST_' : ''}DB_HOST`;
    log.warn(
      `${variable} names a PostgreSQL at ${placeOf(database)}, which is stopped where it was started; to ` +
        `stop the embedded database, run this with ${variable}= (empty)`,
    );
    return;
  }
  log.info((await stopEmbedded(dataDir)) ? 'the database is down' : 'no database was running');
}

async function tellStatus(database: DatabaseConfig, log: Logger): Promise<SchemaState> {
  try {
    const status = await migrationStatus(database);
    const { state, current } = status;
    const message = state === 'replaced' ? replacedMessage(current!) : statusMessages[state];
    log[state === 'ready' ? 'info' : 'warn'](message, { ...status });
    return state;
  } catch (error) {
    if (innermostCode(error) !== databaseMissing) throw error;
    log.warn('there is no such database yet: run make db-migrate-up', { name: database.name });
    return 'missing';
  }
}

function versionOf(database: DatabaseConfig): Promise<string> {
  return withSession(database, askTimeoutMs, async (sql) => {
    const [row] = await sql<{ server_version: string }[]>`SHOW server_version`;
    return row!.server_version;
  });
}

/** The command line to paste into a shell. It has no password: psql asks for it. */
function psqlCommand({ host, port, user, name, sslMode, sslRootCert }: DatabaseConfig): string {
  const words = Object.entries({ host, port, user, dbname: name, sslmode: sslMode })
    .concat(sslRootCert === null ? [] : [['sslrootcert', sslRootCert]])
    .map(([key, value]) => `${key}=${/^[\w./:-]+$/.test(`${value}`) ? value : `'${value}'`}`);
  return `psql "${words.join(' ')}"`;
}

function fail(log: Logger, message: string): number {
  log.error(message);
  return 1;
}
