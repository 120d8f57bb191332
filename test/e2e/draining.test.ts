import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from '../support/api.ts';
import { type Scrape, scrape } from '../support/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  childrenOf,
  eventually,
  isAdminPortOpen,
  lives,
  makeFolder,
  type Service,
  startService,
} from '../support/service.ts';

const main = resolve(import.meta.dirname, '../../src/main.js');
let database: TestDatabase;
before(async () => {
  database = await createTestDatabase('draining');
});
after(() => database.drop());

function start(env: Readonly<Record<string, string>> = {}): Promise<Service> {
  return startService({ database: database.config, env });
}

async function metricsOf(service: Service): Promise<Scrape> {
  const line = await service.logged(isAdminPortOpen);
  return scrape(line['port'] as number);
}

/** Resolves when that many requests are in flight: heads read, not answered. */
function underWay(service: Service, count: number): Promise<void> {
  return eventually(
    async () => (await metricsOf(service)).sum('requests_open') === count,
    'the request was not read',
  );
}

/** Resolves when that many lists were answered; the client may not have read them. */
function listsAnswered(service: Service, count: number): Promise<void> {
  const labels = { method: 'GET', route: '/api/tasks', status: '200' };
  return eventually(
    async () => (await metricsOf(service)).sum('requests_total', labels) === count,
    'the list was not answered',
  );
}

/** Everything until the end of the connection. */
function readAll(socket: Socket): Promise<string> {
  return new Promise((done, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => done(text));
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((done, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => done(socket));
  });
}

async function isRefused(port: number): Promise<boolean> {
  try {
    (await open(port)).destroy();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  }
}

/** Resolves when a write waits inside the database. */
function writeWaits(): Promise<void> {
  return eventually(async () => {
    const rows = await database.sql`
      SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND application_name ~ ' (create|change|remove)$'`;
    return rows.length > 0;
  }, 'no write waits');
}

async function askOnce(port: number, path: string): Promise<{ status: number; close: boolean }> {
  const api = createApi(port, 1);
  const { status, headers } = await api.get(path);
  api.close();
  return { status, close: headers.connection === 'close' };
}

test('every front end serves for the delay and says that it is not ready; then none takes a connection', async () => {
  const service = await start({ FRONTENDS: '2', SHUTDOWN_DELAY_MS: '4000' });
  const began = performance.now();
  const stopped = service.stop();
  await service.logged(({ message }) => message === 'stopping');
  // New connections, so that both front ends are asked; they learn it one after the other.
  await eventually(async () => {
    for (let round = 0; round < 16; round++) {
      if ((await askOnce(service.port, '/readyz')).status !== 503) return false;
    }
    return true;
  }, 'it says that it is ready');
  try {
    for (let round = 0; round < 16; round++) {
      assert.deepEqual(await askOnce(service.port, '/readyz'), { status: 503, close: false });
      assert.equal((await askOnce(service.port, '/livez')).status, 200);
      assert.equal((await askOnce(service.port, '/api/tasks')).status, 200);
    }
  } catch (error) {
    // On a slow machine the delay may end before all were answered.
    if (performance.now() - began < 3900) throw error;
  }
  await service.logged(({ message }) => message === 'takes no new connections');
  assert.ok(performance.now() - began > 3900);
  await eventually(() => isRefused(service.port), 'it takes connections');
  assert.equal(await stopped, 0);
});

test('a body that is half sent when the drain begins is awaited, and answered', async () => {
  const service = await start();
  const socket = await open(service.port);
  const body = '{"title":"in two halves"}';
  const answer = readAll(socket);
  socket.write(
    `POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
  );
  const chunked = await open(service.port);
  const chunkedAnswer = readAll(chunked);
  chunked.write(
    `POST /api/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n${body.slice(0, 9)}\r\n`,
  );
  await underWay(service, 2);
  const stopped = service.stop();
  await service.logged(({ message }) => message === 'takes no new connections');
  // Longer than the idle time after which connections are closed.
  await sleep(1000);
  socket.write(body.slice(9));
  const left = body.slice(9);
  chunked.write(`${left.length.toString(16)}\r\n${left}\r\n0\r\n\r\n`);
  for (const text of [await answer, await chunkedAnswer]) {
    assert.match(text, /^HTTP\/1\.1 201 Created\r\n[\s\S]*\r\nConnection: close\r\n/);
  }
  assert.equal(await stopped, 0);
  const rows = await database.sql`SELECT FROM tasks WHERE title = 'in two halves'`;
  assert.equal(rows.length, 2);
});

test('a body that never ends holds the service no longer than the grace time', async () => {
  const service = await start({ SHUTDOWN_GRACE_MS: '700' });
  const socket = await open(service.port);
  socket.on('error', () => undefined);
  socket.write('POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{"title":');
  await underWay(service, 1);
  assert.equal(await service.stop(), 0);
  const line = await service.logged(({ message }) => message === 'the grace time is over');
  assert.equal(line['unanswered'], 1);
  socket.destroy();
});

test('a client that still waits at the end of the grace time is told so', async () => {
  const service = await start({ SHUTDOWN_GRACE_MS: '500' });
  await database.sql`SELECT 1`;
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  const api = createApi(service.port);
  const post = api.post({ title: 'too late' });
  await writeWaits();
  const stopped = service.stop();
  const answer = await post;
  assert.deepEqual([answer.status, answer.headers.connection], [503, 'close']);
  assert.equal(answer.body.errors[0]!.code, 'outcome_unknown');
  await holder`ROLLBACK`;
  holder.release();
  assert.equal(await stopped, 0);
  api.close();
});

test('a long answer to a slow reader arrives whole', async () => {
  const service = await start();
  const api = createApi(service.port);
  const description = 'é'.repeat(16_384);
  for (let place = 0; place < 100; place++) await api.create({ title: 'long', description });
  api.close();
  for (const isStopping of [false, true]) {
    const socket = await open(service.port);
    const whole = readAll(socket);
    socket.pause();
    socket.write('GET /api/tasks?title=long&per_page=100 HTTP/1.1\r\nHost: x\r\n\r\n');
    await listsAnswered(service, isStopping ? 2 : 1);
    const stopped = isStopping ? service.stop() : undefined;
    if (isStopping) await service.logged(({ message }) => message === 'takes no new connections');
    await sleep(600);
    socket.resume();
    if (!isStopping) {
      await underWay(service, 0);
      // The service reads the data in the kernel's buffer before it sees the end.
      socket.end();
    }
    const text = await whole;
    const [head, body] = [
      text.slice(0, text.indexOf('\r\n\r\n')),
      text.slice(text.indexOf('\r\n\r\n') + 4),
    ];
    assert.equal(body.length, Number(/content-length: (\d+)/i.exec(head)![1]));
    assert.ok(body.length > 3_000_000);
    if (isStopping) assert.equal(await stopped, 0);
  }
});

test('an idle connection is served when it wakes up in time, and told that it ends', async () => {
  const service = await start();
  const api = createApi(service.port, 1);
  await api.create();
  const stopped = service.stop();
  await service.logged(({ message }) => message === 'takes no new connections');
  const answer = await api.get('/api/tasks');
  assert.deepEqual([answer.status, answer.headers.connection], [200, 'close']);
  assert.equal(await stopped, 0);
  api.close();
});

function postmasterOf(folder: string): number | undefined {
  try {
    const file = join(folder, 'data', 'postgres', 'postmaster.pid');
    return Number(readFileSync(file, 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

/** Moments of a start, and how to detect them from outside. */
const moments: readonly {
  readonly name: string;
  readonly isEmbedded: boolean;
  readonly has: (pid: number, folder: string) => boolean;
  readonly laterMs: number;
}[] = [
  {
    name: 'while the embedded database is made',
    isEmbedded: true,
    has: (_pid, folder) => existsSync(join(folder, 'data')),
    laterMs: 50,
  },
  {
    name: 'while the embedded database starts',
    isEmbedded: true,
    has: (_pid, folder) => postmasterOf(folder) !== undefined,
    laterMs: 0,
  },
  ...[0, 100, 200, 300].map((laterMs) => ({
    name: `${laterMs} ms after the front ends were forked`,
    isEmbedded: false,
    has: (pid: number) => childrenOf(pid).length === 2,
    laterMs,
  })),
];

for (const { name, isEmbedded, has, laterMs } of moments) {
  test(`a stop ${name} ends in order, and nothing is left`, async () => {
    const folder = makeFolder();
    const { host, port, user, password, name: dbName } = database.config;
    const external = {
      DB_HOST: host,
      DB_PORT: String(port),
      DB_USER: user,
      DB_PASSWORD: password,
      DB_NAME: dbName,
    };
    const child = spawn(process.execPath, [main], {
      cwd: folder,
      stdio: 'ignore',
      env: {
        ...process.env,
        PORT: '0',
        FRONTENDS: '2',
        ...(isEmbedded ? { DATA_DIR: join(folder, 'data') } : external),
      },
    });
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    await eventually(() => has(child.pid!, folder), 'it does not start');
    await sleep(laterMs);
    const family = childrenOf(child.pid!);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    await eventually(() => family.every((pid) => !lives(pid)), 'a process was left behind');
    const postmaster = postmasterOf(folder);
    assert.ok(postmaster === undefined || !lives(postmaster), 'its database outlives it');
    rmSync(folder, { recursive: true, force: true });
  });
}

test('a front end that is starting when the service stops neither serves nor stays', async () => {
  for (const afterMs of [100, 250, 400]) {
    const service = await start({ FRONTENDS: '2' });
    process.kill(service.frontEnds()[0]!, 'SIGKILL');
    await service.logged(({ message }) => message === 'a front end died');
    await sleep(afterMs);
    assert.equal(await service.stop(), 0);
    const stops = service.log.filter(({ message }) => message === 'takes no new connections');
    const isReplaced = service.log.some(({ message }) => message === 'a front end was replaced');
    // A front end that just started to listen stops too, but its primary no longer logs that.
    assert.ok(stops.length === 2 || (stops.length === 1 && !isReplaced), String(stops.length));
  }
});

test('front ends whose primary was killed answer what they accepted before they end', async () => {
  const service = await start({ FRONTENDS: '2', SHUTDOWN_DELAY_MS: '5000' });
  const frontEnds = service.frontEnds();
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  const api = createApi(service.port);
  const posts = [1, 2, 3, 4].map((n) => api.post({ title: `orphan ${n}` }));
  await underWay(service, 4);
  process.kill(service.pid, 'SIGKILL');
  await eventually(() => isRefused(service.port), 'an orphan takes connections');
  assert.ok(frontEnds.every(lives));
  await holder`ROLLBACK`;
  holder.release();
  for (const post of posts) {
    const { status, headers } = await post;
    assert.deepEqual([status, headers.connection], [201, 'close']);
  }
  api.close();
  await eventually(() => !frontEnds.some(lives), 'a front end was orphaned');
});

test('front ends whose primary is killed while it makes a page answer what they accepted', async () => {
  const service = await start({ FRONTENDS: '1', PPROF_ENABLED: 'true' });
  const [frontEnd] = service.frontEnds();
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  const api = createApi(service.port);
  const post = api.post({ title: 'beside a profile' });
  await writeWaits();
  const profile = fetch(`http://localhost:${service.port}/debug/pprof/profile?seconds=300`);
  await eventually(
    async () =>
      (await fetch(`http://localhost:${service.port}/debug/pprof/profile?seconds=1`)).status ===
      409,
    'no profile is made',
  );
  process.kill(service.pid, 'SIGKILL');
  assert.equal((await profile).status, 503);
  await eventually(() => isRefused(service.port), 'an orphan takes connections');
  assert.ok(lives(frontEnd!));
  await holder`ROLLBACK`;
  holder.release();
  const { status, headers } = await post;
  assert.deepEqual([status, headers.connection], [201, 'close']);
  api.close();
  await eventually(() => !lives(frontEnd!), 'a front end was orphaned');
});

test('a second service may take the port as soon as the first one has ended', async () => {
  const first = await start();
  const api = createApi(first.port);
  await api.create();
  assert.equal(await first.stop(), 0);
  api.close();
  const second = await start({ PORT: String(first.port) });
  assert.equal((await askOnce(second.port, '/readyz')).status, 200);
  assert.equal(await second.stop(), 0);
});
