/** An operator's first hour: a service in production, from an empty database to its end. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { readMigrations } from '../../src/database/migrate/migrations.ts';
import { withSession } from '../../src/database/session.ts';
import { type Api, createApi } from '../support/api.ts';
import { root } from '../support/house.ts';
import { dropDatabase, silentLog, unusedDatabase } from '../support/postgres.ts';
import {
  eventually,
  isAdminPortOpen,
  makeFolder,
  runToExit,
  type Service,
  startService,
} from '../support/service.ts';

const folder = makeFolder();
const database = unusedDatabase('operator');
const variables = {
  DB_HOST: database.host,
  DB_PORT: String(database.port),
  DB_USER: database.user,
  DB_PASSWORD: database.password,
  DB_NAME: database.name,
};
let service: Service;
let api: Api;

before(async () => {
  service = await startService({
    database,
    env: {
      ENV: 'production',
      METRICS_USERNAME: 'who-measures',
      METRICS_PASSWORD: 'hunter2-hunter2',
      SHUTDOWN_DELAY_MS: '1500',
    },
  });
  api = createApi(service.port);
});

after(async () => {
  api?.close();
  await service?.stop();
  await dropDatabase(database);
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** @param program relative to dist/, with its arguments. */
function run(program: string, env: Readonly<Record<string, string>> = variables): Promise<Ended> {
  const [script, ...args] = program.split(' ');
  const options = { cwd: folder, env: { ...process.env, ...env }, timeout: 60_000 };
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, 'dist', script!), ...args],
      options,
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number((error as { code?: unknown }).code);
        done({ code, output: stdout + stderr });
      },
    );
  });
}

const status = 'src/database/cli.js status';

test('production on a database that is not there yet waits, and its answers say so', async () => {
  const ready = await api.get('/readyz');
  assert.equal(ready.status, 503);
  assert.match(ready.text, /"The service waits for its database, or for the schema in it\."/);
  assert.equal((await api.get('/livez')).status, 200);
  assert.equal((await api.get('/api/tasks')).status, 503);
  const line = await service.logged(({ message }) => message.startsWith('waiting until'));
  assert.match(String(line['reason']), /does not exist: run "make db-migrate-up"/);
  assert.match((await service.logged(isAdminPortOpen)).message, /^metrics are served$/);

  const missing = await run(status);
  assert.equal(missing.code, 4, missing.output);
  assert.match(missing.output, /there is no such database yet/);
  await migrateUp(database, silentLog);
  await eventually(async () => (await api.get('/readyz')).status === 200, 'it is never ready');
  await api.create({ title: 'the first' });
  assert.equal(service.log.filter(({ message }) => /^waiting/.test(message)).length, 1);
});

test('the status of the schema is what the command ends with', async () => {
  const set = (text: string) => withSession(database, 5000, (sql) => sql.unsafe(text));
  const earlier = readMigrations().at(-2)!.version;
  for (const [text, code, message] of [
    ['UPDATE schema_migrations SET dirty = true', 5, /the schema is dirty/],
    ['UPDATE schema_migrations SET dirty = false, version = version + 900', 6, /is newer/],
    [`UPDATE schema_migrations SET version = ${earlier}`, 3, /is behind: run make/],
    ['UPDATE schema_migrations SET version = 7', 7, /SET version = 60 WHERE version = 7/],
    ['UPDATE schema_migrations SET version = 60 WHERE version = 7', 0, /is up to date/],
  ] as const) {
    await set(text);
    const ended = await run(status);
    assert.match(ended.output, message);
    assert.equal(ended.code, code, ended.output);
  }
});

test('make load asks for tasks that are there, and fails when an answer is another', async () => {
  const load = (more: string): Promise<Ended> =>
    run(
      `perf/load/everyday/main.js --url http://127.0.0.1:${service.port} --connections 2 ${more}`,
    );
  const get = await load('--scenario mixed --seconds 1');
  assert.equal(get.code, 0, get.output);
  assert.match(get.output, /requests in \d(\.\d+)?s/);
  const deleted = await load('--scenario delete --deletes 100');
  assert.equal(deleted.code, 0, deleted.output);

  await Promise.all((await api.get('/api/tasks')).body.data.map(({ id }) => api.remove(id)));
  const empty = await load('--scenario get --seconds 1');
  assert.equal(empty.code, 1);
  assert.match(empty.output, /has no tasks: make db-seed first/);
  for (const [more, expected] of [
    ['--seconds 0', /SECONDS: expected a whole number from 1/],
    ['--scenario all', /SCENARIO: expected get, /],
    ['--url http://127.0.0.1:1', /nothing answers at http:\/\/127\.0\.0\.1:1 .*make run first/],
  ] as const) {
    const ended = await load(more);
    assert.equal(ended.code, 1);
    assert.match(ended.output, expected);
  }
});

test('make load fails on an answer that is not what it asked for', async () => {
  await api.create({ title: 'not to be changed' });
  await withSession(database, 5000, (sql) =>
    sql.unsafe('ALTER TABLE tasks ADD CONSTRAINT nobody CHECK (version < 2) NOT VALID'),
  );
  const url = `http://127.0.0.1:${service.port}`;
  const ended = await run(
    `perf/load/everyday/main.js --url ${url} --connections 1 --seconds 1 --scenario put`,
  );
  assert.equal(ended.code, 1);
  assert.match(ended.output, /not every answer was 200: \d+ × 422/);
});

test('the embedded test database has the name that TEST_DB_NAME says', async () => {
  const env = {
    DATA_DIR: join(folder, 'data'),
    TEST_DB_HOST: '',
    TEST_DATABASE_URL: '',
    TEST_DB_NAME: 'mine',
  };
  const up = await run('src/database/cli.js up --test', env);
  assert.match(up.output, /dbname=mine/);
  const behind = await run(`${status} --test`, env);
  assert.deepEqual([behind.code, /there is no schema yet/.test(behind.output)], [4, true]);
  assert.equal((await run('src/database/cli.js down --test', env)).code, 0);
});

test('the database of somebody else is not stopped, and that is no failure', async () => {
  for (const [env, name] of [
    [variables, 'DB_HOST'],
    [{ DATABASE_URL: 'postgres://me@127.0.0.1:5432/x' }, 'DATABASE_URL'],
  ] as const) {
    const { code, output } = await run('src/database/cli.js down', env);
    assert.equal(code, 0);
    assert.match(output, new RegExp(`${name} names a PostgreSQL at .* run this with ${name}=`));
  }
});

test('more front ends than the cores have use for are warned of', async () => {
  const taken = createServer().listen(0);
  const { port } = taken.address() as { port: number };
  const env = { FRONTENDS: '200', PORT: String(port) };
  const { code, log } = await runToExit({ database, env });
  taken.close();
  assert.equal(code, 1);
  const warning = log.find(({ level }) => level === 'warn');
  assert.match(String(warning?.['reason']), /^FRONTENDS=200 processes on \d+ cores?$/);
});

test('a service that is to stop says at /readyz that it is stopping', async () => {
  // The service may just be closing the connection of the tests before, which was idle for long.
  const fresh = createApi(service.port);
  const ended = service.stop();
  await eventually(async () => {
    const { status: code, text } = await fresh.get('/readyz');
    return (
      code === 503 &&
      /"message":"The service is stopping\.[^"]*".*"The service is stopping\."/.test(text)
    );
  }, 'it does not say so');
  fresh.close();
  assert.equal(await ended, 0);
});
