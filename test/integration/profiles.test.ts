import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminAnswer } from '../../src/admin/admin-page.ts';
import { createPprofPages, type PprofPages } from '../../src/telemetry/pprof/pages.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { root } from '../support/house.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { goIsMissing, goToolPprof, readPprof } from '../support/pprof.ts';
import { eventually } from '../support/service.ts';

const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
/** Worker threads die while the file exists. */
const deathFile = join(folder, 'die');
let database: TestDatabase;
let running: TestFleet;
let pages: PprofPages;
let loaded = true;
let load: Promise<void>;

before(async () => {
  database = await createTestDatabase('profiles');
  Object.assign(process.env, {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, '../support/worker-killer.js')}`,
    WORKER_LIFE_MS: '200',
    WORKER_DEATH_FILE: deathFile,
  });
  running = await startFleet(database.config);
  pages = createPprofPages({ fleet: running.fleet });
  load = makeLoad(running.port);
});

after(async () => {
  loaded = false;
  await load;
  pages?.close();
  await running?.fleet.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function get(target: string, signal = new AbortController().signal): Promise<AdminAnswer> {
  const url = new URL(target, 'http://localhost');
  return pages.page({ path: url.pathname, query: url.searchParams, accept: '*/*' }, signal);
}

async function getPprof(target: string) {
  const answer = await get(target);
  assert.equal(answer.status, 200, String(answer.body));
  assert.equal(answer.contentType, 'application/octet-stream');
  return readPprof(answer.body as Uint8Array);
}

async function getJson(target: string) {
  const answer = await get(target);
  assert.deepEqual([answer.status, answer.contentType], [200, 'application/json']);
  return JSON.parse(String(answer.body));
}

function placesOf(profile: ReturnType<typeof readPprof>): Set<string> {
  return new Set(profile.samples.map(({ labels }) => `${labels['process']}/${labels['thread']}`));
}

/** Resolves when every front end records: each rejects a second request. */
function recordingEverywhere(): Promise<void> {
  const { signal } = new AbortController();
  return eventually(async () => {
    const { missing } = await running.fleet.ask({ kind: 'resources' }, signal, 10_000);
    return missing.length === 2;
  }, 'nothing is recorded');
}

const everybody = [
  'primary/main',
  'frontend-1/main',
  'frontend-1/worker-1',
  'frontend-2/main',
  'frontend-2/worker-1',
];

test('the CPU profile has every process and thread, with functions and lines of TypeScript', async () => {
  // On busy cores a thread runs so rarely that a sampler may miss it.
  const expected = [
    ['http/serve.handle', 'main'],
    ['tasks/executor.execute', 'worker-1'],
  ] as const;
  let profile = await getPprof('/profile?seconds=2');
  const isSeen = ([wanted, thread]: readonly [string, string]): boolean =>
    profile.samples.some(
      ({ functions, labels }) =>
        labels['thread'] === thread && functions.some(({ name }) => name === wanted),
    );
  for (let tries = 0; tries < 10 && !expected.every(isSeen); tries++) {
    profile = await getPprof('/profile?seconds=2');
  }
  const places = placesOf(profile);
  assert.deepEqual(
    everybody.filter((place) => !places.has(place)),
    [],
  );
  assert.deepEqual(profile.types, ['samples/count', 'cpu/nanoseconds']);
  assert.equal(profile.durationNs, 2e9);
  const found = new Map<string, Set<string>>();
  for (const { functions, labels } of profile.samples) {
    for (const { name } of functions) {
      found.set(name, (found.get(name) ?? new Set()).add(labels['thread']!));
    }
  }
  assert.ok(found.get('http/serve.handle')?.has('main'), [...found.keys()].join(' '));
  assert.ok(found.get('tasks/executor.execute')?.has('worker-1'), [...found.keys()].join(' '));
  const files = profile.samples.flatMap(({ functions }) => functions.map(({ file }) => file));
  assert.deepEqual(
    files.filter((file) => file.startsWith('/') || file.startsWith('dist/')),
    [],
  );
  assert.equal(
    profile.samples.some(({ functions }) => functions.some(({ name }) => name === '(idle)')),
    false,
  );
});

test('live objects are counted for each thread, and collected first when asked', async () => {
  for (const path of ['/heap', '/heap?gc=1']) {
    let profile = await getPprof(path);
    const absent = () => everybody.filter((place) => !placesOf(profile).has(place));
    // One object of half a MiB is sampled: a thread that just started may have none.
    await eventually(
      async () => {
        profile = await getPprof(path);
        return absent().length === 0;
      },
      () => `no objects of ${absent().join(', ')}`,
    );
    assert.deepEqual(profile.types, ['inuse_objects/count', 'inuse_space/bytes']);
    assert.ok(
      profile.samples.every(({ values }) => values[0]! >= 1 && values[1]! >= values[0]! * 8),
    );
    assert.ok(profile.comments.some((comment) => comment.startsWith('frontend-2/worker-1: ')));
  }
});

test('Go reads it: top and list show the worker and the front end', {
  skip: goIsMissing,
}, async () => {
  const file = join(folder, 'cpu.prof');
  const answer = await get('/profile?seconds=2');
  writeFileSync(file, answer.body);
  const top = goToolPprof(['-top', '-nodecount=1000', '-nodefraction=0', file], root);
  assert.match(top, /^Type: cpu$/m);
  assert.match(top, / http\/serve\.handle$/m);
  assert.match(top, / tasks\/executor\.execute$/m);
  const list = goToolPprof(['-list', '^http/serve.handle$', file], root);
  assert.match(list, /ROUTINE =+ http\/serve\.handle in src\/http\/serve\.ts/);
  assert.match(list, /function handle\(/);
  const worker = goToolPprof(['-top', '-tagfocus=thread=worker-1', '-nodecount=9', file], root);
  assert.match(worker, /Showing nodes accounting for/);
  for (const path of [
    '/heap',
    '/allocs?seconds=1',
    '/goroutine',
    '/threadcreate',
    '/mutex',
    '/block?seconds=1',
  ]) {
    writeFileSync(file, (await get(path)).body);
    assert.match(goToolPprof(['-top', file], root), /Showing nodes accounting for/, path);
  }
});

test('a second profile at the same time is refused, and may be asked for again afterwards', async () => {
  const first = get('/profile?seconds=1');
  for (const path of ['/profile?seconds=1', '/heap', '/trace?seconds=1']) {
    const refused = await get(path);
    assert.equal(refused.status, 409);
    assert.match(String(refused.body), /Another profile/);
    assert.equal(refused.headers?.['X-Go-Pprof'], '1');
  }
  assert.equal((await get('/mutex')).status, 200);
  assert.equal((await get('/')).status, 200);
  assert.equal((await first).status, 200);
  assert.equal((await get('/heap')).status, 200);
});

test('a profile ends everywhere when its client leaves', async () => {
  const controller = new AbortController();
  const left = get('/profile?seconds=300', controller.signal);
  await recordingEverywhere();
  controller.abort();
  assert.equal((await left).status, 499);
  const profile = await getPprof('/profile?seconds=1');
  assert.deepEqual(
    everybody.filter((place) => !placesOf(profile).has(place)),
    [],
  );
});

/** Every kind of profile that a client can abort, and the snapshots. */
const abandoned = [
  '/profile?seconds=60',
  '/allocs?seconds=60',
  '/block?seconds=60',
  '/trace?seconds=60',
  '/heap?gc=1',
  '/goroutine',
];

test('the next profile has every process and thread, whenever a client has left', async () => {
  const rounds = Number(process.env['ABORTS'] ?? 40);
  const wrong: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const path = abandoned[round % abandoned.length]!;
    const controller = new AbortController();
    const left = get(path, controller.signal);
    // Also before the question was sent, and while recordings start, end and travel.
    const afterMs = Math.random() ** 2 * 40;
    if (round % 10 !== 0) await sleep(afterMs);
    controller.abort();
    if (round % 2 === 0) await left;
    // Of two at once, the first one waits for the end of the aborted one.
    const following = round % 10 === 0 ? '/heap' : '/goroutine';
    const [next, second] = await Promise.all([get(following), get('/threadcreate')]);
    const missing = next.headers?.['X-Pprof-Missing'];
    if (next.status !== 200 || missing !== undefined) {
      wrong.push(`${path} left after ${afterMs.toFixed(1)} ms: ${next.status}, missing ${missing}`);
    }
    if (second.status === 200 && second.headers?.['X-Pprof-Missing'] !== undefined) {
      wrong.push(`${path}: the second one lacks ${second.headers['X-Pprof-Missing']}`);
    }
    assert.ok([200, 499].includes((await left).status));
  }
  assert.deepEqual(wrong, []);
});

test('a question that comes beside another one takes nothing from it', async () => {
  const first = get('/profile?seconds=2');
  await recordingEverywhere();
  const answer = await first;
  assert.deepEqual([answer.status, answer.headers?.['X-Pprof-Missing']], [200, undefined]);
});

test('allocations of the meantime include what was collected again', async () => {
  const profile = await getPprof('/allocs?seconds=2');
  assert.deepEqual(profile.types, ['alloc_objects/count', 'alloc_space/bytes']);
  const names = new Set(
    profile.samples.flatMap(({ functions }) => functions.map(({ name }) => name)),
  );
  assert.ok(
    [...names].some((name) => name.startsWith('tasks/')),
    [...names].join(' '),
  );
  // The sampler of live objects continues.
  assert.ok((await getPprof('/heap')).comments.length > 0);
});

test('other formats: a tree for DevTools and 0x, one profile a thread for speedscope', async () => {
  const tree = await getJson('/profile?seconds=1&format=cpuprofile');
  assert.equal(tree.nodes[0].id, 1);
  const top = tree.nodes[0].children.map(
    (id: number) =>
      tree.nodes.find((node: { id: number }) => node.id === id).callFrame.functionName,
  );
  assert.deepEqual(top.toSorted(), ['frontend-1', 'frontend-2', 'primary']);
  const threads = await getJson('/profile?seconds=1&format=speedscope');
  const names = threads.profiles.map(({ name }: { name: string }) => name);
  assert.deepEqual(
    everybody.filter((name) => !names.includes(name)),
    [],
  );
  assert.equal((await get('/heap?format=cpuprofile')).status, 400);
  assert.equal((await get('/heap?format=xml')).status, 400);
});

test('profiles of Go that Node has no counterpart of are honest about it', async () => {
  const goroutine = await getPprof('/goroutine');
  assert.deepEqual(goroutine.types, ['goroutine/count']);
  assert.ok(goroutine.samples.some(({ labels }) => labels['thread'] === 'worker-1'));
  const mutex = await getPprof('/mutex');
  assert.deepEqual([mutex.samples, mutex.types], [[], ['contentions/count', 'delay/nanoseconds']]);
  assert.match(mutex.comments[0]!, /no counterpart/);
  assert.match(String((await get('/mutex?debug=1')).body), /total contentions 0 count.*\n# Empty/);
  const block = await get('/block?seconds=1&debug=1');
  assert.match(String(block.body), /^block profile: total contentions \d+ count/);
  const threads = await getPprof('/threadcreate');
  assert.equal(threads.samples.length > 0, process.platform === 'linux');
});

test('a trace has the events of every process', async () => {
  const { traceEvents } = await getJson('/trace?seconds=1');
  const pids = new Set(traceEvents.map(({ pid }: { pid: number }) => pid));
  for (const pid of [process.pid, ...running.pids()]) assert.ok(pids.has(pid));
  assert.ok(traceEvents.some(({ name }: { name: string }) => name === 'RunTimers'));
});

test('the index, the command line, symbols, and what is refused', async () => {
  const index = await get('/');
  assert.match(index.contentType, /^text\/html/);
  for (const name of ['allocs', 'block', 'goroutine', 'heap', 'mutex', 'profile', 'threadcreate']) {
    assert.match(String(index.body), new RegExp(`href="${name}`));
  }
  assert.deepEqual(String((await get('/cmdline')).body).split('\0')[0], process.argv[0]);
  assert.equal((await get('/symbol')).body, 'num_symbols: 0\n');
  for (const seconds of ['0', '-1', '301', '1.5', 'x', '1e1']) {
    assert.equal((await get(`/profile?seconds=${seconds}`)).status, 400, seconds);
  }
  for (const name of ['heap', 'goroutine', 'threadcreate']) {
    assert.equal((await get(`/${name}?seconds=0`)).status, 400);
    assert.equal((await get(`/${name}?seconds=1&debug=1`)).status, 400);
    assert.equal((await get(`/${name}?seconds=1&format=speedscope`)).status, 400);
  }
  assert.equal((await get('/nothing')).status, 404);
});

test('profiles of the present show with seconds= how it changes, as net/http/pprof does', async () => {
  const kept: object[] = [];
  let ended = false;
  const pending = get('/heap?seconds=1').finally(() => {
    ended = true;
  });
  while (!ended) {
    // Some 2 MiB that stay referenced until the end.
    for (let count = 0; count < 20_000; count++)
      kept.push({ count, text: `${count} ${kept.length}` });
    await sleep(20);
  }
  const answer = await pending;
  assert.equal(answer.status, 200, String(answer.body));
  assert.equal(answer.headers?.['Content-Disposition'], 'attachment; filename="heap-delta"');
  const heap = readPprof(answer.body as Uint8Array);
  assert.deepEqual(heap.types, ['inuse_objects/count', 'inuse_space/bytes']);
  const grown = heap.samples
    .filter(({ labels }) => labels['process'] === 'primary')
    .reduce((sum, { values }) => sum + values[1]!, 0);
  assert.ok(grown > 1024 ** 2, `${grown} bytes of ${kept.length} objects`);
  assert.ok(heap.durationNs >= 1e9, String(heap.durationNs));
  for (const name of ['goroutine', 'threadcreate']) {
    const { samples } = await getPprof(`/${name}?seconds=1`);
    // They are allocated and freed, and most stay.
    for (const { values } of samples) assert.notEqual(values[0], 0);
  }
  assert.deepEqual((await getPprof('/mutex?seconds=1')).samples, []);
});

test('a worker thread that dies meanwhile is missing, and named', async () => {
  const pending = get('/profile?seconds=3');
  await recordingEverywhere();
  writeFileSync(deathFile, '');
  const answer = await pending;
  rmSync(deathFile);
  assert.equal(answer.status, 200);
  assert.match(answer.headers?.['X-Pprof-Missing'] ?? '', /frontend-1\/worker-1/);
  const profile = readPprof(answer.body as Uint8Array);
  assert.ok(profile.comments.some((comment) => /^missing: .*frontend-2\/worker-1/.test(comment)));
  await eventually(async () => {
    const places = placesOf(await getPprof('/heap'));
    return [...places].filter((place) => place.includes('worker')).length === 2;
  }, 'no new worker answers');
});

test('a front end that is killed meanwhile is missing, and named', async () => {
  const [victim] = running.pids();
  const pending = get('/profile?seconds=3');
  await recordingEverywhere();
  process.kill(victim!, 'SIGKILL');
  const answer = await pending;
  assert.equal(answer.status, 200);
  assert.match(answer.headers?.['X-Pprof-Missing'] ?? '', /^frontend-[12]$/);
  await eventually(async () => {
    const { headers } = await get('/heap');
    return headers?.['X-Pprof-Missing'] === undefined;
  }, 'no new front end answers');
});

/** Some requests at a time to both front ends; those to a killed one may fail. */
async function makeLoad(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  await Promise.all(
    Array.from({ length: 8 }, async (_, client) => {
      for (let round = 0; loaded; round++) {
        await exchange(agent, port, round % 2 === 0 ? 'POST' : 'GET').catch(() => sleep(50));
        // A new connection may reach the other front end.
        if (round % 200 === client * 20) agent.destroy();
      }
    }),
  );
  agent.destroy();
}

function exchange(agent: Agent, port: number, method: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = method === 'GET' ? '/api/tasks/1' : '/api/tasks';
    const headers = { 'Content-Type': 'application/json' };
    const sent = request({ agent, host: '127.0.0.1', port, path, method, headers }, (answer) => {
      answer.resume().once('end', resolve).once('error', reject);
    });
    sent.once('error', reject);
    sent.end(method === 'POST' ? JSON.stringify({ title: 'under load' }) : undefined);
  });
}
