/** RLIMIT_NOFILE: the service survives the limit and recovers by itself. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from '../support/api.ts';
import { cpuTicksOf, limitOpenFiles, openFilesOf, prlimitIsMissing } from '../support/limits.ts';
import { scrape } from '../support/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  eventually,
  isAdminPortOpen,
  lives,
  type Service,
  startService,
} from '../support/service.ts';

const skip = prlimitIsMissing;
let database: TestDatabase;
before(async () => {
  database = await createTestDatabase('open_files');
});
after(() => database?.drop());

function isFull({ message }: { readonly message: string }): boolean {
  return message === 'no new connections are taken: the process may not open more files';
}

/** Opens a connection and sends a request. @returns the socket if it was answered. */
function openAndAsk(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'));
    socket.once('data', () => resolve(socket));
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
  });
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => openAndAsk(port)));
  return opened.filter((socket) => socket !== undefined);
}

/** Clock ticks of CPU time per second. */
async function cpuWhile(pid: number, what: () => Promise<unknown>): Promise<number> {
  const before = cpuTicksOf(pid);
  const began = performance.now();
  await what();
  return ((cpuTicksOf(pid) - before) * 1000) / (performance.now() - began);
}

async function holdItServes(service: Service, api: ReturnType<typeof createApi>): Promise<void> {
  const id = await api.create();
  assert.equal((await api.get(`/api/tasks/${id}`)).status, 200);
  assert.equal((await api.get('/api/tasks')).status, 200);
  assert.equal((await api.get('/readyz')).status, 200);
  assert.ok(!service.log.some(({ message }) => message === 'a front end died'));
}

test('more connections than it may open are refused, the others are served, and it goes on', {
  skip,
}, async () => {
  const service = await startService({
    database: database.config,
    openFilesMax: 512,
    env: { FRONTENDS: '1', WORKER_THREADS: '1', OFFLOAD_MIN_BATCH: '0' },
  });
  const [frontEnd] = service.frontEnds();
  const api = createApi(service.port, 1);
  await holdItServes(service, api);
  const idle = await cpuWhile(frontEnd!, () => sleep(1000));

  const open = await openMany(service.port, 700);
  assert.ok(open.length > 50 && open.length < 512, `${open.length} of 700 were served`);
  const line = await service.logged(isFull);
  assert.deepEqual([line['limit'], line['value']], ['RLIMIT_NOFILE', 512]);
  const full = await cpuWhile(frontEnd!, async () => {
    for (let round = 0; round < 10; round++) {
      await holdItServes(service, api);
      await sleep(100);
    }
  });
  const spinning = 10 * Math.max(idle, 3);
  assert.ok(full < spinning, `${full} ticks a second, ${idle} when idle`);
  assert.equal(openFilesOf(frontEnd!) < 512, true, 'nothing is left for its own needs');

  for (const socket of open) socket.destroy();
  let again: Socket | undefined;
  await eventually(async () => {
    again = await openAndAsk(service.port);
    return again !== undefined;
  }, 'it takes no connections again');
  again!.destroy();
  assert.equal(service.log.filter(isFull).length, 1);
  await eventually(async () => {
    const found = await scrape(service.port);
    return found.sum('accepts_connections') === 1 && found.sum('accept_pauses_total') >= 1;
  }, 'metrics do not tell');
  api.close();
  assert.equal(await service.stop(), 0);
});

test('a front end that can open nothing at all lives, serves open connections, and recovers', {
  skip,
}, async (context) => {
  const service = await startService({ database: database.config, env: { FRONTENDS: '2' } });
  const api = createApi(service.port, 4);
  await Promise.all(Array.from({ length: 8 }, () => holdItServes(service, api)));
  const frontEnds = service.frontEnds();
  const admin = await service.logged(isAdminPortOpen);
  const adminPort = admin['port'] as number;
  for (const pid of [service.pid, ...frontEnds]) limitOpenFiles(pid, 8);
  // The primary has no free descriptor either.
  for (let count = 0; count < 5; count++) {
    const socket = connect({ port: adminPort, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    context.after(() => socket.destroy());
  }
  await eventually(() => service.log.filter(isFull).length === 2, 'it does not notice');
  // Longer than every timer of the service.
  const until = performance.now() + 2500;
  while (performance.now() < until) {
    assert.equal((await api.get('/api/tasks')).status, 200);
    assert.equal((await api.post({ title: 'without files' })).status, 201);
    await sleep(20);
  }
  assert.deepEqual(frontEnds.filter(lives), frontEnds);
  assert.ok(lives(service.pid));
  for (const pid of [service.pid, ...frontEnds]) limitOpenFiles(pid, 'hard');
  await eventually(
    async () =>
      (await scrape(service.port).catch(() => undefined))?.sum('accepts_connections') === 2,
    'it takes no connections again',
  );
  await eventually(
    async () => (await scrape(adminPort).catch(() => undefined))?.status === 200,
    'the port of the metrics is not served again',
  );
  const found = await scrape(service.port);
  assert.equal([...found.values.keys()].filter((name) => /^process_resident/.test(name)).length, 3);
  // A thread that was starting fails, and so do its replacements: they are logged, but not 20
  // times.
  const errors = service.log.filter(({ level }) => level === 'error');
  assert.ok(errors.length <= 8, JSON.stringify(errors));
  api.close();
  assert.equal(await service.stop(), 0);
});

test('a front end that dies while its primary can open nothing is replaced when it can', {
  skip,
}, async () => {
  const service = await startService({ database: database.config, env: { FRONTENDS: '2' } });
  const [victim] = service.frontEnds();
  limitOpenFiles(service.pid, 8);
  process.kill(victim!, 'SIGKILL');
  await service.logged(({ message }) => message === 'a front end could not start');
  assert.equal((await createApi(service.port, 1).get('/livez')).status, 200);
  limitOpenFiles(service.pid, 'hard');
  await service.logged(({ message }) => message === 'a front end was replaced');
  assert.equal(service.frontEnds().length, 2);
  assert.equal(await service.stop(), 0);
});
