/**
 * What a starting service waits for, what ends the wait, and what the log tells the operator: the
 * schema, privileges, the extension, and each way in which a server refuses a connection.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { migrateDown, migrateUp, migrationStatus } from '../../src/database/migrate/migrate.ts';
import { readMigrations } from '../../src/database/migrate/migrations.ts';
import { awaitSchema } from '../../src/database/migrate/schema.ts';
import { withSession } from '../../src/database/session.ts';
import type { LogFields } from '../../src/telemetry/log.ts';
import { type Cluster, startCluster, trustAll } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { silentLog } from '../support/postgres.ts';
import { eventually, lives } from '../support/service.ts';

let cluster: Cluster;
let databases = 0;

before(async () => {
  cluster = await startCluster();
  await cluster.administer(
    'CREATE ROLE app LOGIN',
    "CREATE ROLE guarded LOGIN PASSWORD 'right'",
    'CREATE ROLE crowd LOGIN CONNECTION LIMIT 0',
    'CREATE ROLE group_only',
  );
  cluster.admit(
    `host all guarded 127.0.0.1/32 scram-sha-256\nhost all stranger all reject\n${trustAll}`,
  );
});

function configOf(name: string, user = 'postgres'): DatabaseConfig {
  const { port } = cluster;
  const place = { host: '127.0.0.1', port, sslMode: 'disable', sslRootCert: null } as const;
  return { ...place, user, password: '', name };
}

/** Creates a database without a schema. */
async function makeDatabase(more = ''): Promise<string> {
  const name = `waits_${++databases}`;
  await cluster.administer(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' ${more}`);
  return name;
}

interface Waiting {
  /** The messages of the log, with their reasons. */
  readonly said: readonly string[];
  readonly outcome: Promise<string>;
  /** Resolves when there is a further message. */
  says(count: number): Promise<string>;
}

function startWaiting(database: DatabaseConfig, autoMigrate: boolean): Waiting {
  const said: string[] = [];
  const say = (message: string, fields?: LogFields): void => {
    said.push(fields?.['reason'] === undefined ? message : `${message}: ${fields['reason']}`);
  };
  const log = { debug: () => undefined, info: say, warn: say, error: say };
  let waits = 0;
  const options = { database, served: database, autoMigrate, log };
  const outcome = awaitSchema(options, () => waits++).then(
    () => 'ready',
    (error: Error) => error.message,
  );
  return {
    said,
    outcome,
    async says(count) {
      // It has checked again, and logged nothing twice.
      await eventually(
        () => said.length >= count,
        () => `it has said only ${said.join('; ')}`,
      );
      const before = waits;
      await eventually(() => waits > before, 'it does not look again');
      assert.equal(said.length, count, said.join('; '));
      return said[count - 1]!;
    },
  };
}

test('a production start waits for database and schema, says once what for, and goes on', async () => {
  const name = `waits_${++databases}`;
  const database = configOf(name);
  const waiting = startWaiting(database, false);
  assert.match(
    await waiting.says(1),
    new RegExp(
      `^waiting .*"${name}" at 127.0.0.1:${cluster.port} does not exist: run "make db-migrate-up"`,
    ),
  );
  await cluster.administer(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  // The same need, one step further.
  await waiting.says(1);
  const other = startWaiting(database, false);
  assert.match(await other.says(1), /has no schema yet: run "make db-migrate-up"/);
  await migrateUp(database, silentLog);
  assert.equal(await waiting.outcome, 'ready');
  assert.equal(await other.outcome, 'ready');
  assert.deepEqual(waiting.said.slice(1), ['the schema is up to date']);
});

test('a start waits for an old schema and for a dirty one, and ends for a newer one', async () => {
  const database = configOf(await makeDatabase());
  await migrateUp(database, silentLog);
  const [earlier, latest] = readMigrations()
    .slice(-2)
    .map(({ version }) => version) as [number, number];
  await migrateDown(database, silentLog);
  assert.equal((await migrationStatus(database)).state, 'behind');
  const waiting = startWaiting(database, false);
  assert.match(
    await waiting.says(1),
    new RegExp(`at version ${earlier}, this service needs ${latest}`),
  );
  // As migrate/migrate marks a migration before it runs it.
  const set = (version: number, dirty: boolean) =>
    cluster.ask(database, `UPDATE schema_migrations SET version = ${version}, dirty = ${dirty}`);
  await set(latest, true);
  assert.match(await waiting.says(2), /is under way, or was interrupted half way/);
  await set(earlier, false);
  assert.match(await waiting.says(3), new RegExp(`at version ${earlier}`));
  await set(latest + 1, false);
  assert.match(await waiting.outcome, new RegExp(`version ${latest + 1}, newer than .* ${latest}`));

  await set(earlier, true);
  const migrating = startWaiting(database, true);
  assert.match(await migrating.says(1), /interrupted half way.*schema_migrations\.dirty/);
  await set(earlier, false);
  assert.equal(await migrating.outcome, 'ready');
  assert.equal((await migrationStatus(database)).state, 'ready');
});

test('it waits until a schema of the replaced files has the number of the present ones', async () => {
  const database = configOf(await makeDatabase());
  await migrateUp(database, silentLog);
  await cluster.ask(database, 'UPDATE schema_migrations SET version = 7');
  for (const autoMigrate of [true, false]) {
    const waiting = startWaiting(database, autoMigrate);
    const [statement] = /UPDATE schema_migrations .+/.exec(await waiting.says(1))!;
    await cluster.ask(database, statement);
    assert.equal(await waiting.outcome, 'ready');
    assert.equal((await migrationStatus(database)).state, 'ready');
    await cluster.ask(database, 'UPDATE schema_migrations SET version = 7');
  }
});

test('a role of few rights is told what an administrator has to run, and the start goes on', async () => {
  const name = await makeDatabase();
  const database = configOf(name, 'app');
  const admin = configOf(name);
  await cluster.administer(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
  const waiting = startWaiting(database, true);

  /** Runs the statements of the message, word for word. */
  async function obey(count: number, expected: readonly string[]): Promise<void> {
    const text = await waiting.says(count);
    const statements = [...text.matchAll(/run ((?:GRANT|CREATE) [^;(]+?)(?=;| \(|$)/g)].map(
      ([, one]) => one!,
    );
    assert.deepEqual(statements, expected, text);
    for (const statement of statements) await cluster.ask(admin, statement);
  }

  await obey(1, [`GRANT CONNECT ON DATABASE "${name}" TO "app"`]);
  await obey(2, ['GRANT CREATE ON SCHEMA "public" TO "app"', 'CREATE EXTENSION pg_trgm']);
  assert.equal(await waiting.outcome, 'ready');
});

test('pg_trgm may be in a schema of its own, which the role must be allowed to use', async () => {
  const name = await makeDatabase();
  const [admin, database] = [configOf(name), configOf(name, 'app')];
  for (const statement of [
    'GRANT CREATE ON SCHEMA public TO app',
    'CREATE SCHEMA "Ex tensions"',
    'CREATE EXTENSION pg_trgm SCHEMA "Ex tensions"',
  ]) {
    await cluster.ask(admin, statement);
  }
  const waiting = startWaiting(database, true);
  // Two migrations need nothing from it.
  assert.match(await waiting.says(3), /run GRANT USAGE ON SCHEMA "Ex tensions" TO "app"/);
  await cluster.ask(admin, 'GRANT USAGE ON SCHEMA "Ex tensions" TO app');
  assert.equal(await waiting.outcome, 'ready');
  // The applied ones work without it, and can be reverted and run again with it.
  const steps = readMigrations().length;
  assert.equal(await migrateDown(database, silentLog, steps), steps);
  assert.equal(await migrateUp(database, silentLog), steps);
});

test('the tables may be in a schema of the role’s search path, beside the extension’s', async () => {
  const name = await makeDatabase();
  const [admin, database] = [configOf(name), configOf(name, 'app')];
  for (const statement of [
    'CREATE SCHEMA extensions',
    'GRANT USAGE ON SCHEMA extensions TO app',
    'CREATE EXTENSION pg_trgm SCHEMA extensions',
    'CREATE SCHEMA "The Tasks" AUTHORIZATION app',
    `ALTER ROLE app IN DATABASE ${name} SET search_path = "The Tasks", extensions`,
  ]) {
    await cluster.ask(admin, statement);
  }
  await migrateUp(database, silentLog);
  const [found] = await cluster.ask<Record<string, unknown>>(
    database,
    `WITH made AS (
       INSERT INTO tasks (title) SELECT 'the needle ' || n FROM generate_series(1, 5) AS n RETURNING id
     ) SELECT (SELECT count(*)::int FROM made) AS made, to_regclass('public.tasks') AS elsewhere`,
  );
  assert.deepEqual({ ...found }, { made: 5, elsewhere: null });
  const [indexed] = await cluster.ask<{ taken: number; found: number }>(
    database,
    'SELECT tasks_index_texts(100) AS taken',
  );
  assert.equal(indexed?.taken, 5);
  await cluster.administer(`ALTER ROLE app IN DATABASE ${name} SET enable_seqscan = off`);
  const plan = await cluster.ask<object>(
    database,
    "EXPLAIN SELECT id FROM tasks_texts WHERE title LIKE '%needle%'",
  );
  assert.match(JSON.stringify(plan), /tasks_texts_trigrams/);
});

test('a session that is refused says which role, database and variable it is about', async () => {
  const closed = await makeDatabase('ALLOW_CONNECTIONS false');
  const free = await freePort();
  const good = configOf('postgres');
  const cases: readonly (readonly [Partial<DatabaseConfig>, RegExp])[] = [
    [
      { user: 'nouser' },
      /role "nouser" is refused for the database "postgres": .*DB_USER, DB_NAME/,
    ],
    [{ user: 'group_only' }, /role "group_only" is refused .*DB_USER/],
    [{ user: 'stranger' }, /role "stranger" is refused .*pg_hba\.conf.*DB_USER/],
    [
      { user: 'guarded', password: 'wrong' },
      /role "guarded" or its password is refused .*"postgres".*DB_USER, DB_PASSWORD/,
    ],
    [{ user: 'crowd' }, /every connection is taken.*DB_USER, DB_NAME, 53300/],
    [{ name: 'nowhere' }, /there is no database "nowhere" \(DB_NAME, 3D000/],
    [{ name: closed }, new RegExp(`database "${closed}" takes no connections.*DB_NAME`)],
    [{ sslMode: 'require' }, /offers no TLS, and sslmode is require \(DB_SSLMODE/],
    [{ host: 'nowhere.invalid' }, /nowhere\.invalid.*\(DB_HOST, E/],
    [{ port: free }, new RegExp(`nothing listens at 127.0.0.1:${free} \\(DB_HOST, DB_PORT`)],
    [{ host: '/nowhere' }, /no socket of a server in \/nowhere \(DB_HOST, DB_PORT/],
  ];
  for (const [change, expected] of cases) {
    const said = await refusalOf({ ...good, ...change });
    assert.match(said, expected);
    assert.match(said, /^PostgreSQL at /);
    assert.doesNotMatch(said, /wrong/);
  }
});

/** A session that an administrator has ended, and a server that stops while a session is open. */
test('a server that stops or has closed the session says so', async () => {
  const good = configOf('postgres');
  await withSession(good, 0, async (sql) => {
    await cluster.administer(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity ' +
        "WHERE application_name = 'tasks administration'",
    );
    await sql`SELECT 1`;
  }).then(
    () => assert.fail('the session lives'),
    (error: Error) => assert.match(error.message, /ended the session|was lost/),
  );
  const postmaster = Number(
    readFileSync(join(cluster.folder, 'postmaster.pid'), 'utf8').split('\n', 1)[0],
  );
  await withSession(good, 0, async (sql) => {
    await sql`SELECT 1`;
    // It waits for this session, and accepts no others.
    process.kill(postmaster, 'SIGTERM');
    await eventually(async () => {
      return /takes no connections yet: .*\(57P03\)$/.test(await refusalOf(good));
    }, 'it does not say that it stops');
  });
  await eventually(() => !lives(postmaster), 'the server does not stop');
});

/** The error that a user of the database gets. */
function refusalOf(database: DatabaseConfig): Promise<string> {
  return withSession(database, 5000, (sql) => sql`SELECT 1`).then(
    () => 'it takes connections',
    (error: Error) => error.message,
  );
}
