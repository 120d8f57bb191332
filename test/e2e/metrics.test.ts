import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Api, createApi } from '../support/api.ts';
import { startCountingLoad } from '../support/counting-load.ts';
import { freePort } from '../support/free-port.ts';
import {
  lintMetrics,
  promisedNames,
  promtoolIsMissing,
  type Scrape,
  scrape,
} from '../support/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually, isAdminPortOpen, type Service, startService } from '../support/service.ts';

const openMetrics = 'application/openmetrics-text';
let database: TestDatabase;
let service: Service;
let api: Api;
let adminPort: number;
/** Responses by method, route and status, counted by the client since the start. */
const seen = new Map<string, number>();

before(async () => {
  database = await createTestDatabase('metrics');
  service = await startService({ database: database.config, env: { FRONTENDS: '2' } });
  adminPort = await adminPortOf(service);
  api = createApi(service.port, 16);
});

after(async () => {
  api?.close();
  await service?.stop();
  await database?.drop();
});

async function adminPortOf({ logged }: Service): Promise<number> {
  const line = await logged(isAdminPortOpen);
  return line['port'] as number;
}

async function send(method: string, path: string, route: string, body?: unknown): Promise<void> {
  const answer = await api.request(method, path, body === undefined ? {} : { body });
  const key = `${method} ${route} ${answer.status}`;
  seen.set(key, (seen.get(key) ?? 0) + 1);
}

/** Valid and invalid requests, many at once on many connections. */
async function burst(): Promise<void> {
  const byId = '/api/tasks/:id';
  const sent: Promise<void>[] = [];
  for (let round = 0; round < 60; round++) {
    sent.push(
      send('GET', '/api/tasks/1', byId),
      send('GET', '/api/tasks/999999', byId),
      send('GET', '/api/tasks/x', byId),
      send('HEAD', '/api/tasks/1', byId),
      send('GET', '/api/tasks', '/api/tasks'),
      send('GET', '/api/tasks?page=0', '/api/tasks'),
      send('POST', '/api/tasks', '/api/tasks', { title: 'counted' }),
      send('POST', '/api/tasks', '/api/tasks', { title: '' }),
      send('PUT', '/api/tasks/1', byId, { status: 'done' }),
      send('PATCH', '/api/tasks/1', '/api/tasks/:id', { title: 'patched' }),
      send('DELETE', '/api/tasks/999999', byId),
      send('DELETE', '/api/tasks', '/api/tasks'),
      send('OPTIONS', '/api/tasks', '/api/tasks'),
      send('GET', '/nowhere', 'unmatched'),
      send('GET', '/livez', '/livez'),
      send('GET', '/readyz', '/readyz'),
    );
  }
  await Promise.all(sent);
}

/** Without the scrapes themselves. */
function counted({ values }: Scrape): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [series, value] of values) {
    const [, method, route, status] =
      /^requests_total\{method="(\w+)",route="([^"]+)",status="(\w+)"\}$/.exec(series) ?? [];
    if (method !== undefined && route !== 'admin')
      counts.set(`${method} ${route} ${status}`, value);
  }
  return counts;
}

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
}

async function holdCounts(): Promise<Scrape> {
  let found = await scrape(adminPort);
  // Numbers outside of requests are written ten times a second.
  await eventually(
    async () => {
      found = await scrape(adminPort);
      return (
        isDeepStrictEqual(sorted(counted(found)), sorted(seen)) && found.sum('front_end_up') === 2
      );
    },
    () => `${JSON.stringify(sorted(counted(found)))}, seen ${JSON.stringify(sorted(seen))}`,
  );
  const answered = [...seen.values()].reduce((sum, count) => sum + count, 0);
  const observed = found.sum('request_latency_histogram_count');
  assert.equal(
    observed - found.sum('request_latency_histogram_count', { route: 'admin' }),
    answered,
  );
  return found;
}

function holdNoneFell(earlier: Scrape, later: Scrape): void {
  for (const [series, value] of earlier.values) {
    const name = series.replace(/\{.*/, '');
    const family = name.replace(/_(bucket|sum|count)$/, '');
    const type = earlier.types.get(name) ?? earlier.types.get(family);
    assert.ok(type !== undefined, `${series} has no type`);
    if (type === 'gauge') continue;
    assert.ok(later.values.get(series)! >= value, `${series} fell from ${value}`);
  }
}

test('requests are counted to the last one over front ends, also when one is killed and replaced', async () => {
  await send('POST', '/api/tasks', '/api/tasks', { title: 'the first' });
  await burst();
  const before = await holdCounts();
  assert.equal(before.sum('front_end_up'), 2);
  // Written a moment after the responses.
  await eventually(
    async () => (await scrape(adminPort)).sum('batch_size_sum', { kind: 'read' }) >= 180,
    'batches are not counted',
  );
  for (const [round, victim] of service.frontEnds().entries()) {
    process.kill(victim, 'SIGKILL');
    await eventually(
      () =>
        service.log.filter(({ message }) => message === 'a front end was replaced').length > round,
      'it was not replaced',
    );
    await burst();
    holdNoneFell(before, await holdCounts());
  }
  const found = await holdCounts();
  assert.equal(found.sum('front_end_restarts_total'), 2);
  assert.equal(found.sum('front_end_up'), 2);
});

const watched = ['/api/tasks/:id', '/api/tasks', '/livez', 'unmatched'];

/** By status, for the routes of the load. */
function answersByStatus(found: Scrape): Map<string, number> {
  const sums = new Map<string, number>();
  for (const status of ['200', '404', '503']) {
    const of = (route: string): number => found.sum('requests_total', { route, status });
    sums.set(
      status,
      watched.reduce((sum, route) => sum + of(route), 0),
    );
  }
  return sums;
}

/** A burst of load on batches, on the cache and on immediate responses. */
async function countUnderLoad(
  meanwhile: (answered: () => number) => Promise<void>,
): Promise<{ differences: Map<number, number>; answered: number; cutOff: number }> {
  const earlier = answersByStatus(await scrape(adminPort));
  const load = startCountingLoad(service.port, 32, [
    '/api/tasks/1',
    '/api/tasks?per_page=5',
    '/api/tasks/999999',
    '/livez',
    '/nowhere',
  ]);
  await meanwhile(load.answered);
  const { answered, cutOff } = await load.stop();
  let later = answersByStatus(await scrape(adminPort));
  await eventually(async () => {
    // Longer than the write interval.
    await sleep(200);
    const before = later;
    later = answersByStatus(await scrape(adminPort));
    return isDeepStrictEqual(before, later);
  }, 'counts go on without requests');
  const differences = new Map(
    [...later].map(([status, count]) => {
      const counts = count - earlier.get(status)!;
      return [Number(status), counts - (answered.get(Number(status)) ?? 0)];
    }),
  );
  return { differences, answered: [...answered.values()].reduce((a, b) => a + b, 0), cutOff };
}

test("the counts under load are the clients' own, to the last answer", async () => {
  const { differences, answered, cutOff } = await countUnderLoad((answers) =>
    eventually(() => answers() > 1000, 'too few answers', 60_000),
  );
  assert.equal(cutOff, 0);
  assert.ok(answered > 1000, String(answered));
  assert.deepEqual([...differences.values()], [0, 0, 0]);
});

test('killed under load, a front end loses no count but of requests that it cut off', async () => {
  const rounds = 4;
  const { differences, answered, cutOff } = await countUnderLoad(async (answers) => {
    for (let round = 0; round < rounds; round++) {
      await sleep(200);
      const replaced = service.log.filter(isReplacement).length;
      const before = answers();
      process.kill(service.frontEnds()[round % 2]!, 'SIGKILL');
      await eventually(
        () => service.log.filter(isReplacement).length > replaced && answers() > before + 200,
        'it was not replaced',
      );
    }
  });
  assert.ok(answered > 1000 && cutOff > 0, `${answered} answered, ${cutOff} cut off`);
  // Either a response that was sent and not counted before the process died, or one that was
  // counted and cut off. Both are the last request of a broken connection, so the client counts
  // them as cut off.
  const off = [...differences.values()].reduce((sum, value) => sum + Math.abs(value), 0);
  assert.ok(off <= cutOff, `${JSON.stringify([...differences])}, ${cutOff} cut off`);
});

function isReplacement({ message }: { readonly message: string }): boolean {
  return message === 'a front end was replaced';
}

test('a front end that hangs is said to be missing, and the scrape does not wait for it', async () => {
  const [victim] = service.frontEnds();
  const before = await scrape(adminPort);
  process.kill(victim!, 'SIGSTOP');
  try {
    await eventually(
      async () => (await scrape(adminPort)).sum('front_end_up') === 1,
      'it is not missed',
    );
    const found = await scrape(adminPort);
    const processes = (name: string): number =>
      [...found.values.keys()].filter((series) => series.startsWith(`${name}{`)).length;
    assert.equal(processes('process_resident_memory_bytes'), 2);
    assert.equal(processes('process_cpu_seconds_total'), 3);
    holdNoneFell(before, found);
  } finally {
    process.kill(victim!, 'SIGCONT');
  }
  await eventually(async () => (await scrape(adminPort)).sum('front_end_up') === 2, 'it is missed');
});

test('tasks are counted by status, gauges of what is there now are not added to nonsense', async () => {
  const found = await scrape(service.port);
  const rows = await database.sql<{ status: string; count: string }[]>`
    SELECT status, count(*) AS count FROM tasks GROUP BY status`;
  assert.ok(rows.length > 0);
  for (const { status, count } of rows) {
    assert.equal(found.values.get(`tasks_count{status="${status}"}`), Number(count));
  }
  assert.equal(found.values.get('database_up'), 1);
  assert.equal(found.sum('build_info'), 1);
  assert.equal(found.sum('queue_depth'), 0);
  for (const [series, value] of found.values) assert.ok(value >= 0, series);
});

test('every family has its help and its type; OpenMetrics is for whoever asks', async () => {
  const plain = await scrape(adminPort);
  assert.match(plain.contentType, /^text\/plain; version=0\.0\.4/);
  const open = await scrape(adminPort, {
    accept: `${openMetrics}; version=1.0.0, text/plain;q=0.5`,
  });
  assert.match(open.contentType, /^application\/openmetrics-text/);
  assert.match(open.text, /\n# EOF\n$/);
  assert.doesNotMatch(open.text, /_total_total/);
  const version = 'version=1.0.0;escaping=allow-utf-8';
  for (const [accept, type] of [
    ['Application/OpenMetrics-Text', openMetrics],
    [`${openMetrics};${version};q=0.5,text/plain;${version};q=0.4,*/*;q=0.2`, openMetrics],
    [`${openMetrics};q=0, */*`, 'text/plain'],
    [`${openMetrics};q=0.1, text/plain`, 'text/plain'],
    [`${openMetrics}s`, 'text/plain'],
    [`x/y;note="${openMetrics}"`, 'text/plain'],
    ['image/png', 'text/plain'],
  ] as const) {
    for (const port of [adminPort, service.port]) {
      const { contentType } = await scrape(port, { accept });
      assert.ok(contentType.startsWith(`${type};`), `${accept}: ${contentType}`);
    }
  }
  for (const { text } of [plain, open]) {
    for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) {
      assert.match(text, new RegExp(`^# HELP ${name} [A-Z].*\\.$`, 'm'));
    }
  }
  const names = (found: Scrape): string[] =>
    [...found.values.keys()].map((series) => series.replace(/\{.*/, ''));
  assert.deepEqual([...new Set(names(open))].sort(), [...new Set(names(plain))].sort());
});

test('promtool finds nothing but the two names that are promised', {
  skip: promtoolIsMissing,
}, async () => {
  assert.deepEqual(lintMetrics((await scrape(adminPort)).text), promisedNames);
});

test('metrics ask for credentials, on either port', async () => {
  for (const port of [service.port, adminPort]) {
    for (const credentials of [null, 'admin:wrong', 'admin', ':admin']) {
      const refused = await scrape(port, { credentials });
      assert.equal(refused.status, 401);
      assert.doesNotMatch(refused.text, /requests_total/);
    }
    assert.equal((await scrape(port)).status, 200);
  }
  const answer = await api.get('/metrics');
  assert.deepEqual(
    answer.body.errors.map(({ code }) => code),
    ['unauthorized'],
  );
  assert.equal(answer.headers['www-authenticate'], 'Basic realm="tasks", charset="UTF-8"');
  const options = await api.request('OPTIONS', '/metrics');
  assert.equal(options.headers.allow, 'GET, HEAD, POST, OPTIONS');
  assert.equal((await api.request('DELETE', '/metrics')).status, 405);
  const unknown = await fetch(`http://127.0.0.1:${adminPort}/api/tasks`, {
    headers: { Authorization: `Basic ${btoa('admin:admin')}` },
  });
  assert.equal(unknown.status, 404);
  assert.equal(
    (await fetch(`http://127.0.0.1:${adminPort}/metrics`, { method: 'DELETE' })).status,
    405,
  );
});

test('metrics are there without a database, and say so', async () => {
  const port = await freePort();
  const orphan = await startService({
    database: { ...database.config, host: '127.0.0.1', port },
    env: { FRONTENDS: '1' },
  });
  const found = await scrape(await adminPortOf(orphan));
  assert.deepEqual([found.status, found.values.get('database_up')], [200, 0]);
  assert.ok(!found.text.includes('tasks_count'));
  await orphan.stop();
});

test('a port that is taken is tried again, and the service serves meanwhile; off means off', async (context) => {
  const taken = createServer();
  // An open listener would keep this process alive.
  context.after(() => taken.close());
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, () => resolve((taken.address() as { port: number }).port));
  });
  const other = await startService({
    database: database.config,
    env: { METRICS_PORT: String(port), METRICS_PATH: '/internal/metrics' },
  });
  await other.logged(({ level, code }) => level === 'error' && code === 'EADDRINUSE');
  assert.equal((await scrape(other.port, { path: '/internal/metrics' })).status, 200);
  assert.equal((await scrape(other.port)).status, 404);
  taken.close();
  await other.logged(isAdminPortOpen);
  assert.equal((await scrape(port, { path: '/internal/metrics' })).status, 200);
  await other.stop();

  const off = await startService({
    database: database.config,
    env: { METRICS_ENABLED: 'false', PPROF_ENABLED: 'false' },
  });
  assert.equal((await scrape(off.port)).status, 404);
  assert.ok(!off.log.some(isAdminPortOpen));
  await off.stop();
});

test('a slow request is logged with its stages, and answers say where their time went', async () => {
  const timed = await startService({
    database: database.config,
    env: { SLOW_REQUEST_MS: '100', SERVER_TIMING: 'true' },
  });
  const client = createApi(timed.port);
  const quick = await client.get('/api/tasks/1');
  assert.match(
    String(quick.headers['server-timing']),
    /^queue;dur=[\d.]+, dispatch;dur=[\d.]+, statement;dur=[\d.]+, reply;dur=[\d.]+, total;dur=[\d.]+$/,
  );
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  const post = client.post({ title: 'slow' }, { headers: { 'X-Request-Id': 'the-slow-one' } });
  await eventually(async () => {
    const waits = await database.sql`
      SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND application_name LIKE '% create'`;
    return waits.length > 0;
  }, 'the write does not wait');
  await sleep(200);
  await holder`ROLLBACK`;
  holder.release();
  assert.equal((await post).status, 201);
  // On a busy machine other requests are slow as well.
  const line = await timed.logged(
    ({ message, requestId }) => message === 'a request was slow' && requestId === 'the-slow-one',
  );
  assert.deepEqual(
    [line['requestId'], line['method'], line['route'], line['status']],
    ['the-slow-one', 'POST', '/api/tasks', 201],
  );
  const stages = ['queueMs', 'dispatchMs', 'statementMs', 'replyMs', 'totalMs'];
  const [queue, dispatch, statement, reply, total] = stages.map((name) => line[name] as number);
  assert.ok(statement! >= 150, `the statement took ${statement} ms`);
  assert.ok(Math.abs(queue! + dispatch! + statement! + reply! - total!) < 0.01);
  client.close();
  await timed.stop();
});
