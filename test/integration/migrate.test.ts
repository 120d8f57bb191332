import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { createDatabaseIfMissing } from '../../src/database/migrate/create-database.ts';
import { migrateDown, migrateUp, migrationStatus } from '../../src/database/migrate/migrate.ts';
import { advisoryLockId } from '../../src/database/migrate/migration-lock.ts';
import { readMigrations } from '../../src/database/migrate/migrations.ts';
import { dropDatabase, silentLog, unusedDatabase } from '../support/postgres.ts';

const run = promisify(execFile);

let folder: string;
let folders = 0;
let database: DatabaseConfig;
let sql: Client;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  database = unusedDatabase('migrate');
  sql = createClient(database, { max: 2, applicationName: 'test', statementTimeoutMs: 30_000 });
});

afterEach(async () => {
  await sql.end({ timeout: 1 });
  await dropDatabase(database);
});

describe('migrating', () => {
  test('creates the database, runs every file, and then has nothing left to do', async () => {
    const latest = readMigrations().at(-1)!.version;
    assert.equal(await migrateUp(database, silentLog), readMigrations().length);
    assert.equal(await migrateUp(database, silentLog), 0);
    assert.deepEqual(await migrationStatus(database), {
      state: 'ready',
      current: latest,
      latest,
      dirty: false,
      pending: [],
    });
    await sql`INSERT INTO tasks (title) VALUES ('works')`;
  });

  test('works whatever defaults the database has', async () => {
    await createDatabaseIfMissing(database, silentLog);
    const defaults = [
      'standard_conforming_strings = off',
      "DateStyle = 'German, DMY'",
      "TimeZone = 'Asia/Kathmandu'",
      "client_encoding = 'LATIN1'",
      "default_transaction_isolation = 'serializable'",
    ];
    for (const setting of defaults) {
      await sql.unsafe(`ALTER DATABASE ${database.name} SET ${setting}`);
    }
    assert.equal(await migrateUp(database, silentLog), readMigrations().length);
    const steps = readMigrations().length;
    assert.equal(await migrateDown(database, silentLog, steps), steps);
    assert.equal(await migrateUp(database, silentLog), steps);
    const [row] = await sql<{ found: boolean }[]>`
      SELECT tasks_fold(chr(304) || chr(220)) = 'i' || chr(252) AS found`;
    assert.equal(row?.found, true);
  });

  test('goes down to nothing and up again, leaving no object behind', async () => {
    await migrateUp(database, silentLog);
    const made = await objects();
    assert.equal(await migrateDown(database, silentLog, 1000), readMigrations().length);
    assert.deepEqual(await objects(), ['schema_migrations']);
    assert.equal((await migrationStatus(database)).current, null);
    assert.equal(await migrateDown(database, silentLog), 0);
    await migrateUp(database, silentLog);
    assert.deepEqual(await objects(), made);
  });

  test('counts and queues the tasks that came while the triggers were taken back', async () => {
    await migrateUp(database, silentLog);
    await sql`INSERT INTO tasks (title) VALUES ('stays'), ('goes')`;
    await sql`SELECT tasks_index_texts(10)`;
    const [before] = await sql`SELECT generation FROM tasks_state`;
    const above = readMigrations().filter(({ version }) => version >= 40).length;
    await migrateDown(database, silentLog, above);
    await sql`DELETE FROM tasks WHERE title = 'goes'`;
    await sql`INSERT INTO tasks (title, status) VALUES ('comes', 'done'), ('and comes', 'pending')`;
    await migrateUp(database, silentLog);
    const [state] = await sql`
      SELECT total::int, pending::int, done::int, canceled::int,
        generation > ${before!['generation']}::bigint AS "hasMoved",
        table_file = pg_relation_filenode('tasks') AS "isItsFile",
        (SELECT string_agg((block, total, pending, done)::text, ' ') FROM tasks_blocks) AS blocks
      FROM tasks_state`;
    assert.deepEqual(
      { ...state },
      {
        total: 3,
        pending: 2,
        done: 1,
        canceled: 0,
        hasMoved: true,
        isItsFile: true,
        blocks: '(0,3,2,1)',
      },
    );
    await sql`SELECT tasks_index_texts(10)`;
    const texts = await sql<{ title: string }[]>`SELECT title FROM tasks_texts ORDER BY id`;
    assert.deepEqual(
      texts.map(({ title }) => title),
      ['stays', 'comes', 'and comes'],
    );
    const [found] =
      await sql`SELECT wrong_triggers, wrong_counts, wrong_blocks::int, queued_texts::int
      FROM tasks_recount()`;
    assert.deepEqual(
      { ...found },
      { wrong_triggers: 0, wrong_counts: 0, wrong_blocks: 0, queued_texts: 0 },
    );
  });

  test('takes back one migration at a time', async () => {
    const files = migrations({ '001_a': creates('a'), '002_b': creates('b') });
    await migrateUp(database, silentLog, files);
    assert.equal(await migrateDown(database, silentLog, 1, files), 1);
    assert.deepEqual(await objects(), ['a', 'schema_migrations']);
    assert.deepEqual(await migrationStatus(database, files), {
      state: 'behind',
      current: 1,
      latest: 2,
      dirty: false,
      pending: ['002_b'],
    });
  });

  test('runs once when several processes do it at once', async () => {
    const slow = { up: `SELECT pg_sleep(0.2); ${creates('a').up}`, down: creates('a').down };
    const files = migrations({ '001_a': slow, '002_b': creates('b') });
    const program = fileURLToPath(new URL('../support/migrate-once.js', import.meta.url));
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () =>
        run(process.execPath, [program, JSON.stringify(database), files.href]),
      ),
    );
    const ran = outcomes.map(({ stdout }) => Number(stdout));
    assert.equal(
      ran.reduce((sum, count) => sum + count),
      2,
      `ran ${ran}`,
    );
    assert.equal((await migrationStatus(database, files)).current, 2);
  });
});

describe('a migration that fails', () => {
  test('leaves the database as it was before it, and names file, line and reason', async () => {
    const files = migrations({
      '001_a': creates('a'),
      '002_b': {
        up: '-- 😀\nCREATE TABLE b ();\nINSERT INTO a\n  SELECT missing FROM a;\nCREATE TABLE c ();',
        down: '',
      },
    });
    await assert.rejects(migrateUp(database, silentLog, files), {
      message: 'migration 002_b failed in line 4: column "missing" does not exist; nothing changed',
    });
    assert.deepEqual(await objects(), ['a', 'schema_migrations']);
    assert.deepEqual(await migrationStatus(database, files), {
      state: 'behind',
      current: 1,
      latest: 2,
      dirty: false,
      pending: ['002_b'],
    });
  });

  test('does not stand in the way of the corrected one', async () => {
    const files = { '001_a': { up: 'CREATE TABLE a (', down: '' } };
    await assert.rejects(migrateUp(database, silentLog, migrations(files)), /001_a failed/);
    assert.equal(await migrateUp(database, silentLog, migrations({ '001_a': creates('a') })), 1);
  });

  test('is not there when its session is ended in the middle', async () => {
    await createDatabaseIfMissing(database, silentLog);
    const up = `${creates('a').up}; SELECT pg_sleep(60)`;
    const running = migrateUp(database, silentLog, migrations({ '001_a': { up, down: '' } }));
    const outcome = assert.rejects(running);
    const inTheMiddle = `
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'PgSleep'`;
    await until(async () => (await sql.unsafe(inTheMiddle)).length > 0);
    await outcome;
    assert.deepEqual(await objects(), []);
  });
});

describe('a database that does not fit the files', () => {
  test('is refused when it is newer, both ways', async () => {
    await migrateUp(
      database,
      silentLog,
      migrations({ '001_a': creates('a'), '007_b': creates('b') }),
    );
    const older = migrations({ '001_a': creates('a') });
    await assert.rejects(migrateUp(database, silentLog, older), /version 7, newer than .* 1/);
    await assert.rejects(migrateDown(database, silentLog, 1, older), /newer/);
    assert.deepEqual(await objects(), ['a', 'b', 'schema_migrations']);
  });

  test('is refused when another tool left it dirty', async () => {
    const files = migrations({ '001_a': creates('a'), '002_b': creates('b') });
    await migrateUp(database, silentLog, migrations({ '001_a': creates('a') }));
    await sql`UPDATE schema_migrations SET dirty = true`;
    await assert.rejects(migrateUp(database, silentLog, files), /interrupted half way/);
    await assert.rejects(migrateDown(database, silentLog, 1, files), /interrupted half way/);
    assert.equal((await migrationStatus(database, files)).dirty, true);
    assert.deepEqual(await objects(), ['a', 'schema_migrations']);
  });

  test('is told what to run when files made it that others have replaced', async () => {
    await migrateUp(database, silentLog);
    const made = await objects();
    await sql`UPDATE schema_migrations SET version = 7`;
    assert.equal((await migrationStatus(database)).state, 'replaced');
    const same =
      /needs only the new number: run (UPDATE schema_migrations SET version = \d+ WHERE version = 7)$/;
    let statement = '';
    await assert.rejects(migrateUp(database, silentLog), ({ message }: Error) => {
      statement = same.exec(message)?.[1] ?? '';
      return statement !== '';
    });
    await assert.rejects(migrateDown(database, silentLog), same);
    await sql`UPDATE schema_migrations SET version = 5`;
    assert.equal((await migrationStatus(database)).state, 'replaced');
    await assert.rejects(migrateUp(database, silentLog), /is at version 5 of them: bring it to 7 /);
    assert.deepEqual(await objects(), made);

    await sql`UPDATE schema_migrations SET version = 7`;
    await sql.unsafe(statement);
    assert.equal(await migrateUp(database, silentLog), 0);
    assert.equal((await migrationStatus(database)).state, 'ready');
  });

  test('is not taken for ours when the Go service numbered it', async () => {
    await createDatabaseIfMissing(database, silentLog);
    await sql.unsafe(`
      CREATE TABLE tasks (id bigserial PRIMARY KEY);
      CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
      INSERT INTO schema_migrations VALUES (2, false)`);
    assert.equal((await migrationStatus(database)).state, 'unknown');
    await assert.rejects(migrateUp(database, silentLog), /version 2, and there is no/);
  });

  test('is refused when there is no file of its version', async () => {
    await migrateUp(database, silentLog, migrations({ '002_b': creates('b') }));
    const files = migrations({ '001_a': creates('a'), '003_c': creates('c') });
    await assert.rejects(migrateUp(database, silentLog, files), /version 2, and there is no/);
  });
});

describe('beside the tool migrate/migrate', () => {
  test('takes the lock that the tool would take', () => {
    // What the Go function gives for these names.
    assert.equal(advisoryLockId({ schema: 'public', database: 'tasks' }), '678726695');
    assert.equal(
      advisoryLockId({ schema: 'schema_name', database: 'database_name' }),
      '2238111001',
    );
  });

  test('waits while the tool holds its lock', async () => {
    const files = migrations({ '001_a': creates('a') });
    await migrateUp(database, silentLog, files);
    const tool = createClient(database, { max: 1, applicationName: 'tool', statementTimeoutMs: 0 });
    const lock = advisoryLockId({ database: database.name, schema: 'public' });
    await tool`SELECT pg_advisory_lock(${lock}::bigint)`;
    let done = false;
    const down = migrateDown(database, silentLog, 1, files).then(() => {
      done = true;
    });
    await until(async () => {
      const waiting = await sql`
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      return waiting.length === 1;
    });
    await sleep(50);
    assert.equal(done, false);
    await tool`SELECT pg_advisory_unlock(${lock}::bigint)`;
    await down;
    await tool.end();
    assert.deepEqual(await objects(), ['schema_migrations']);
  });

  test('begins anew after the drop of the tool, which leaves functions behind', async () => {
    await migrateUp(database, silentLog);
    const made = await objects();
    await sql`CREATE FUNCTION tasks_of_somebody_else() RETURNS int LANGUAGE sql RETURN 1`;
    // database/postgres/postgres.go, Drop: drops every table of the schema, including its own.
    const tables = await sql<{ table_name: string }[]>`
      SELECT table_name FROM information_schema.tables
      WHERE table_schema = (SELECT current_schema()) AND table_type = 'BASE TABLE'`;
    for (const { table_name: name } of tables) {
      await sql.unsafe(`DROP TABLE IF EXISTS "${name}" CASCADE`);
    }
    assert.ok((await objects()).length > 5, 'the tool leaves no function behind');
    assert.equal((await migrationStatus(database)).state, 'missing');
    assert.equal(await migrateUp(database, silentLog), readMigrations().length);
    assert.deepEqual(
      (await objects()).filter((name) => name !== 'tasks_of_somebody_else'),
      made,
    );
    assert.ok((await objects()).includes('tasks_of_somebody_else'));
    await sql`INSERT INTO tasks (title) VALUES ('works')`;
  });

  test('leaves functions alone where a table of ours is still there', async () => {
    await migrateUp(database, silentLog);
    const made = await objects();
    await sql`DELETE FROM schema_migrations`;
    await assert.rejects(migrateUp(database, silentLog), /"tasks" already exists; nothing changed/);
    assert.deepEqual(await objects(), made);
  });

  test('goes on where the tool has stopped', async () => {
    const files = migrations({ '001_a': creates('a'), '002_b': creates('b') });
    await migrateUp(database, silentLog, migrations({ '001_a': creates('a') }));
    // As the tool stores a version.
    await sql`DROP TABLE schema_migrations`;
    await sql`CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null)`;
    await sql`INSERT INTO schema_migrations (version, dirty) VALUES (1, false)`;
    assert.equal(await migrateUp(database, silentLog, files), 1);
    assert.deepEqual(
      [...(await sql`SELECT * FROM schema_migrations`)],
      [{ version: '2', dirty: false }],
    );
  });
});

describe('migration files', () => {
  test('never have a number of those that they have replaced', () => {
    assert.ok(readMigrations()[0]!.version > 7);
  });

  test('must be pairs, with names that begin with a version that no other has', () => {
    const up = { up: 'SELECT 1', down: 'SELECT 1' };
    assert.throws(() => readMigrations(migrations({ tasks: up })), /expected a name/);
    assert.throws(() => readMigrations(migrations({ '1_a': up, '001_b': up })), /same version/);
    const alone = migrations({});
    writeFileSync(new URL('001_a.up.sql', alone), '');
    assert.throws(() => readMigrations(alone), /001_a\.down\.sql is missing/);
  });

  test('must not begin or end a transaction', () => {
    for (const command of ['BEGIN;', 'commit ;', '  ROLLBACK WORK;', 'START TRANSACTION;']) {
      const files = migrations({ '001_a': { up: `SELECT 1;\n${command}\n`, down: '' } });
      assert.throws(() => readMigrations(files), /must not be there/, command);
    }
  });
});

test('what a schema is at has a name', async () => {
  const files = migrations({ '001_a': creates('a'), '003_c': creates('c') });
  const stateNow = async (): Promise<string> => (await migrationStatus(database, files)).state;
  await createDatabaseIfMissing(database, silentLog);
  assert.equal(await stateNow(), 'missing');
  await migrateUp(database, silentLog, migrations({ '001_a': creates('a') }));
  assert.equal(await stateNow(), 'behind');
  await migrateUp(database, silentLog, files);
  assert.equal(await stateNow(), 'ready');
  for (const [version, state] of [
    [2, 'unknown'],
    [4, 'newer'],
  ] as const) {
    await sql`UPDATE schema_migrations SET version = ${version}`;
    assert.equal(await stateNow(), state);
  }
  await sql`UPDATE schema_migrations SET dirty = true`;
  assert.equal(await stateNow(), 'dirty');
});

test('a server that is out of reach is named, with the reason', async () => {
  const nobody = { ...database, host: 'localhost', port: 1 };
  await assert.rejects(
    migrationStatus(nobody),
    /PostgreSQL at localhost:1 is out of reach: .*REFUSED/,
  );
});

interface Halves {
  readonly up: string;
  readonly down: string;
}

function creates(table: string): Halves {
  return { up: `CREATE TABLE ${table} ()`, down: `DROP TABLE ${table};` };
}

/** @returns a folder with these files. */
function migrations(files: Readonly<Record<string, Halves>>): URL {
  const path = join(folder, String(folders++));
  mkdirSync(path);
  for (const [name, { up, down }] of Object.entries(files)) {
    writeFileSync(join(path, `${name}.up.sql`), up);
    writeFileSync(join(path, `${name}.down.sql`), down);
  }
  return pathToFileURL(`${path}/`);
}

/** Tables, functions and triggers outside PostgreSQL's own schemas. */
async function objects(): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT relname::text AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY name`;
  return rows.map((row) => row.name);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 60_000;
  while (!(await condition())) {
    assert.ok(performance.now() < giveUp, 'it did not happen in a minute');
    await sleep(20);
  }
}
