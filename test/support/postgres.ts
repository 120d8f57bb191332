/** Creates a migrated database for a test file, copied from a template on the tests' server. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { createLogger } from '../../src/telemetry/log.ts';

export interface TestDatabase {
  readonly config: DatabaseConfig;
  readonly sql: Client;
  /** Closes `sql` and drops the database, even with other connections. */
  drop(): Promise<void>;
}

const nameMaxBytes = 63;
const objectInUse = '55006';
const copyAttemptsMax = 50;
const copyRetryMs = 100;

/** For code that logs: writes nothing. */
export const silentLog = createLogger({ level: 'error', role: 'test', write: () => {} });

/** The runner calls it once. Creates the template from the current files. */
export async function prepareTemplate(database: DatabaseConfig): Promise<void> {
  const template = templateOf(database);
  await withServer(database, async (server) => {
    await server`DROP DATABASE IF EXISTS ${server(template.name)} WITH (FORCE)`;
  });
  await migrateUp(template, silentLog);
  await withServer(database, async (server) => {
    // A database with connections cannot be copied.
    await server`ALTER DATABASE ${server(template.name)} ALLOW_CONNECTIONS false`;
  });
}

/** @param name of the test file, shown on the server. */
export async function createTestDatabase(name: string): Promise<TestDatabase> {
  const database = testServer();
  const config = { ...database, name: uniqueName(database.name, name) };
  await withServer(database, (server) => copyTemplate(server, templateOf(database).name, config));
  const sql = createClient(config, { max: 4, applicationName: name, statementTimeoutMs: 30_000 });
  return {
    config,
    sql,
    async drop(): Promise<void> {
      await sql.end({ timeout: 1 });
      await dropDatabase(config);
    },
  };
}

/** An unused database name on the tests' server, for tests that create the database. */
export function unusedDatabase(name: string): DatabaseConfig {
  const database = testServer();
  return { ...database, name: uniqueName(database.name, name) };
}

export async function dropDatabase(database: DatabaseConfig): Promise<void> {
  await withServer(database, async (server) => {
    await server`DROP DATABASE IF EXISTS ${server(database.name)} WITH (FORCE)`;
  });
}

function testServer(): DatabaseConfig {
  const result = loadConfig('tests');
  const database = result.ok ? result.config.testDatabase : null;
  if (database !== null) return database;
  throw new Error(
    'there is no server for the tests: run them by make test, which starts one, ' +
      'or set TEST_DB_HOST',
  );
}

function templateOf(database: DatabaseConfig): DatabaseConfig {
  return { ...database, name: `${database.name}_template` };
}

function uniqueName(prefix: string, name: string): string {
  const word = name.toLowerCase().replace(/[^a-z0-9]+/g, '_');
  const unique = randomBytes(6).toString('hex');
  return `${`${prefix}_${word}`.slice(0, nameMaxBytes - unique.length - 1)}_${unique}`;
}

async function copyTemplate(
  server: Client,
  template: string,
  config: DatabaseConfig,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await server`CREATE DATABASE ${server(config.name)} TEMPLATE ${server(template)}`;
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== objectInUse || attempt === copyAttemptsMax) {
        throw error;
      }
      await sleep(copyRetryMs);
    }
  }
}

async function withServer(
  database: DatabaseConfig,
  use: (server: Client) => Promise<void>,
): Promise<void> {
  const server = createClient(
    { ...database, name: 'postgres' },
    { max: 1, applicationName: 'tests', statementTimeoutMs: 60_000 },
  );
  try {
    await use(server);
  } finally {
    await server.end({ timeout: 1 });
  }
}
