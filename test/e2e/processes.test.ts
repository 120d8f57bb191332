import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createApi } from '../support/api.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { eventually, lives, makeFolder, runToExit, startService } from '../support/service.ts';
import { waitingWriters } from '../support/trouble.ts';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends the service with 0 and leaves no process behind`, async () => {
    const database = await createTestDatabase('stop');
    const service = await startService({ database: database.config });
    assert.equal(await service.stop(signal), 0);
    assert.equal(service.log.at(-1)?.message, 'stopped');
    await database.drop();
  });
}

/** A write waits for a lock only for a part of its timeout. */
const patient = { REQUEST_TIMEOUT_MS: '120000', SHUTDOWN_GRACE_MS: '120000' };

test('a request that was accepted is answered before the service ends', async () => {
  const database = await createTestDatabase('drain');
  const service = await startService({ database: database.config, env: patient });
  const api = createApi(service.port);
  await database.sql`SELECT 1`;
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  const post = api.post({ title: 'accepted' });
  await eventually(async () => (await waitingWriters(database)) === 1, 'the write does not wait');
  const stopped = service.stop();
  await service.logged((line) => line.message === 'stopping');
  await holder`ROLLBACK`;
  holder.release();
  const answer = await post;
  assert.deepEqual([answer.status, answer.headers.connection], [201, 'close']);
  assert.equal(await stopped, 0);
  api.close();
  await database.drop();
});

test('a second signal ends everything at once', async () => {
  const database = await createTestDatabase('twice');
  const service = await startService({ database: database.config, env: patient });
  const api = createApi(service.port);
  await database.sql`SELECT 1`;
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  const post = api.post({ title: 'abandoned' }).catch(() => 'cut off');
  await eventually(async () => (await waitingWriters(database)) === 1, 'the write does not wait');
  process.kill(service.pid, 'SIGTERM');
  await service.logged((line) => line.message === 'stopping');
  // A second signal within this time is the same Ctrl-C, forwarded by make.
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(await service.stop('SIGTERM'), 1);
  await service.logged((line) => line.message === 'stopped at once by a second signal');
  assert.equal(await post, 'cut off');
  await holder`ROLLBACK`;
  holder.release();
  api.close();
  await database.drop();
});

test('a taken port is a clear error, whether the other one shares it or not', async () => {
  const database = await createTestDatabase('port');
  const first = await startService({ database: database.config });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, resolve));
  const { port } = other.address() as { port: number };
  for (const taken of [first.port, port]) {
    const { code, log } = await runToExit({
      database: database.config,
      env: { PORT: String(taken) },
    });
    assert.equal(code, 1);
    assert.match(log.find(({ level }) => level === 'error')!.message, /port \d+ is taken/);
  }
  other.close();
  await first.stop();
  await database.drop();
});

test('a front end that dies is replaced, and the log says so', async () => {
  const database = await createTestDatabase('replace');
  const service = await startService({ database: database.config });
  const api = createApi(service.port);
  const id = await api.create();
  const [victim] = service.frontEnds();
  process.kill(victim!, 'SIGKILL');
  const death = await service.logged((line) => line.message === 'a front end died');
  assert.deepEqual([death['pid'], death['signal']], [victim, 'SIGKILL']);
  await service.logged((line) => line.message === 'a front end was replaced');
  const again = createApi(service.port);
  assert.equal((await again.get(`/api/tasks/${id}`)).status, 200);
  assert.equal(await service.stop(), 0);
  api.close();
  again.close();
  await database.drop();
});

test('two front ends share a port, and one serves while the other is replaced', async () => {
  const database = await createTestDatabase('shared');
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, resolve));
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const service = await startService({
    database: database.config,
    env: { FRONTENDS: '2', PORT: String(port) },
  });
  assert.equal(service.frontEnds().length, 2);
  for (let round = 0; round < 20; round++) {
    const api = createApi(service.port);
    assert.equal((await api.post({ title: `round ${round}` })).status, 201);
    api.close();
  }
  const { code, log } = await runToExit({
    database: database.config,
    env: { FRONTENDS: '2', PORT: String(port) },
  });
  assert.deepEqual([code, log.filter(({ level }) => level === 'error').length], [1, 1]);
  assert.equal(await service.stop(), 0);
  await database.drop();
});

test('front ends stop when their primary is killed', async () => {
  const database = await createTestDatabase('orphans');
  const service = await startService({ database: database.config });
  const frontEnds = service.frontEnds();
  process.kill(service.pid, 'SIGKILL');
  await eventually(() => frontEnds.every((pid) => !lives(pid)), 'a front end was orphaned');
  await database.drop();
});

test('the next start has every acknowledged task after kill -9 of everything', async () => {
  const folder = makeFolder();
  let expected = 0;
  for (let round = 0; round < 3; round++) {
    const service = await startService({ folder });
    const api = createApi(service.port);
    assert.equal((await api.get('/api/tasks')).body.meta.total, expected);
    for (let place = 0; place < 20; place++) await api.create();
    expected += 20;
    const postmaster = Number(
      readFileSync(join(folder, 'data', 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    // In the second round the database survives its service and is adopted.
    const victims = [service.pid, ...service.frontEnds(), ...(round === 1 ? [] : [postmaster])];
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await eventually(() => victims.every((pid) => !lives(pid)), 'a process would not die');
    api.close();
  }
  const last = await startService({ folder });
  const api = createApi(last.port);
  assert.equal((await api.get('/api/tasks')).body.meta.total, expected);
  api.close();
  assert.equal(await last.stop(), 0);
  rmSync(folder, { recursive: true, force: true });
});

test('an embedded database that dies is started again, with everything acknowledged', async () => {
  const folder = makeFolder();
  const service = await startService({ folder });
  const api = createApi(service.port);
  const id = await api.create();
  const pidFile = join(folder, 'data', 'postgres', 'postmaster.pid');
  const postmaster = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  process.kill(postmaster, 'SIGKILL');
  await service.logged((line) => line.message === 'the embedded database died');
  await eventually(async () => (await api.post({ title: 'back' })).status === 201, 'it stays away');
  assert.equal((await api.get(`/api/tasks/${id}`)).status, 200);
  api.close();
  assert.equal(await service.stop(), 0);
  assert.ok(!lives(postmaster));
  rmSync(folder, { recursive: true, force: true });
});

test('two services never share one embedded database', async () => {
  const folder = makeFolder();
  const first = await startService({ folder });
  const { code, log } = await runToExit({ folder });
  assert.equal(code, 1);
  assert.match(log.find(({ level }) => level === 'error')!.message, new RegExp(String(first.pid)));
  assert.equal(await first.stop(), 0);
  rmSync(folder, { recursive: true, force: true });
});

test('a database that is newer than the service is refused', async () => {
  const database = await createTestDatabase('new_schema');
  await database.sql`UPDATE schema_migrations SET version = 999`;
  for (const autoMigrate of ['true', 'false']) {
    const { code, log } = await runToExit({
      database: database.config,
      env: { DB_AUTO_MIGRATE: autoMigrate },
    });
    assert.equal(code, 1);
    assert.match(log.find(({ level }) => level === 'error')!.message, /newer/);
  }
  await database.drop();
});

test('every fault of the configuration is reported at once, and no secret', async () => {
  const { code, log } = await runToExit({
    env: {
      PORT: 'x',
      DB_TYPE: 'mysql',
      ENV: 'prod',
      DB_SSLMODE: 'prefer',
      METRICS_PASSWORD: 'hush',
    },
  });
  assert.equal(code, 1);
  const faults = log[0]!['faults'] as string[];
  assert.deepEqual(faults.map((fault) => fault.split(':')[0]).sort(), [
    'DB_SSLMODE',
    'DB_TYPE',
    'ENV',
    'PORT',
  ]);
  assert.doesNotMatch(JSON.stringify(log), /hush/);
});

test('a service without a native server refuses to start, and says what fits', () => {
  const main = join(import.meta.dirname, '../../src/main.js');
  // The current build throws if it does not load; the build of 2023 falls back to JavaScript.
  const hidden = `
    const { Module } = require('node:module');
    const load = Module._load;
    Module._load = (name, ...rest) => {
      if (name === 'uWebSockets.js') throw new Error('no binary of this build');
      return load(name, ...rest);
    };`;
  const folder = makeFolder();
  writeFileSync(join(folder, 'hide.cjs'), hidden);
  const { status, stdout } = spawnSync(process.execPath, [main], {
    encoding: 'utf8',
    cwd: folder,
    env: {
      ...process.env,
      NODE_OPTIONS: `--require ${join(folder, 'hide.cjs')}`,
      UWS_USE_FALLBACK: '1',
      PORT: '0',
      DB_HOST: process.env['TEST_DB_HOST'],
      DB_PORT: process.env['TEST_DB_PORT'],
      DB_USER: process.env['TEST_DB_USER'],
      DB_PASSWORD: process.env['TEST_DB_PASSWORD'],
      DB_NAME: `${process.env['TEST_DB_NAME']}_fallback`,
    },
    timeout: 30_000,
  });
  assert.equal(status, 1);
  assert.match(
    stdout,
    /uWebSockets\.js does not load on Node .*bin\/node.*no binary of this build/,
  );
  assert.match(stdout, /uWebSockets\.js-2023 has no binary/);
});
