/**
 * Overload: excess requests are rejected immediately with Retry-After, and the service recovers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, createApi, faultsOf } from '../support/api.ts';
import { scrape } from '../support/metrics.ts';
import { openRaw } from '../support/raw-socket.ts';
import { eventually, startService } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const suite = useService('overload', {
  env: {
    QUEUE_MAX: '20',
    QUEUE_WAIT_MAX_MS: '200',
    BATCH_MAX: '4',
    REQUEST_TIMEOUT_MS: '60000',
    FRONTENDS: '1',
    OFFLOAD_MIN_BATCH: '1024',
  },
});

/** While `use` runs, all writes of tasks wait for a lock. */
async function withLockedTasks(use: () => Promise<void>): Promise<void> {
  await suite.database.sql.begin(async (locker) => {
    await locker`LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE`;
    await use();
  });
}

/** Afterwards all writes made under the lock must have succeeded. */
async function expectCreated(held: readonly Promise<Answer>[]): Promise<void> {
  for (const answer of await Promise.all(held)) {
    if (answer.status === 201) continue;
    assert.deepEqual([answer.status, ...faultsOf(answer)], [503, 'overloaded']);
  }
}

async function timed(request: Promise<Answer>): Promise<{ answer: Answer; took: number }> {
  const began = performance.now();
  const answer = await request;
  return { answer, took: performance.now() - began };
}

test('a full queue refuses at once, reads and health go on, and it is over with the cause', async () => {
  const id = await suite.api.create({ title: 'before' });
  const api = createApi(suite.service.port, 100);
  let held: readonly Promise<Answer>[] = [];
  await withLockedTasks(async () => {
    let refused = 0;
    const hold = async (): Promise<Answer> => {
      const answer = await api.post({ title: 'held' });
      if (faultsOf(answer)[0] === 'overloaded') refused++;
      return answer;
    };
    // At most two batches of four are in flight, and twenty requests wait. The second batch may
    // leave when the queue is already full, which makes room once more.
    held = Array.from({ length: 60 }, hold);
    await eventually(() => refused >= 32, 'the queue was not full');
    await eventually(async () => {
      const before = refused;
      held = [...held, hold()];
      return eventually(() => refused > before, 'it waits', 1000).then(
        () => true,
        () => false,
      );
    }, 'the queue was not full again');
    // A request that is not rejected waits for the lock, longer than this test may take.
    for (let count = 0; count < 10; count++) {
      const answer = await api.post({ title: 'one too many' });
      assert.equal(answer.status, 503);
      assert.deepEqual(faultsOf(answer), ['overloaded']);
      assert.equal(answer.headers['retry-after'], '1');
    }
    for (const path of ['/livez', '/healthz', '/readyz', `/api/tasks/${id}`, '/api/tasks']) {
      assert.equal((await api.get(path)).status, 200, path);
    }
  });
  await expectCreated(held);
  assert.equal((await api.post({ title: 'after' })).status, 201);
  api.close();
});

test('newcomers are refused while the queue is slow, though there is room', async () => {
  const api = createApi(suite.service.port, 100);
  const held: Promise<Answer>[] = [];
  await withLockedTasks(async () => {
    // Two batches are in flight; the third waits.
    for (let depth = 1; depth <= 3; depth++) {
      held.push(api.post({ title: 'held' }));
      await queueHas(suite.service.port, depth);
    }
    await sleep(300);
    const answer = await api.post({ title: 'late' });
    assert.deepEqual([answer.status, ...faultsOf(answer)], [503, 'overloaded']);
  });
  await expectCreated(held);
  assert.equal((await api.post({ title: 'after' })).status, 201);
  api.close();
});

test('lists that wait for the generation are counted, by kind, and so are those refused', async () => {
  const { port } = suite.service;
  const before = (await scrape(port)).sum('requests_refused_total', { kind: 'list' });
  const api = createApi(port, 100);
  const held: Promise<Answer>[] = [];
  await suite.database.sql.begin(async (locker) => {
    await locker`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
    for (let count = 0; count < 3; count++) held.push(api.get('/api/tasks'));
    for (let count = 0; count < 2; count++) held.push(api.get('/api/tasks?title=x'));
    await queueHas(port, 3, 'list');
    await queueHas(port, 2, 'search');
    await sleep(300);
    const answer = await api.get('/api/tasks');
    assert.deepEqual([answer.status, ...faultsOf(answer)], [503, 'overloaded']);
    await eventually(
      async () => (await scrape(port)).sum('requests_refused_total', { kind: 'list' }) > before,
      'the refused list was not counted',
    );
  });
  for (const answer of await Promise.all(held)) assert.equal(answer.status, 200, answer.text);
  await queueHas(port, 0, 'list');
  api.close();
});

test('a request that is late is answered, and its statement does not go on', async () => {
  const service = await startService({
    database: suite.database.config,
    env: { REQUEST_TIMEOUT_MS: '2000' },
  });
  const api = createApi(service.port);
  await withLockedTasks(async () => {
    const { answer, took } = await timed(api.post({ title: 'late' }));
    assert.equal(answer.status, 503);
    // A lock wait may take half of the request timeout.
    assert.ok(took > 900, `${took} ms`);
    await eventually(async () => {
      const running = await suite.database.sql`
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'tasks front end%'
          AND state = 'active'`;
      return running.length === 0;
    }, 'a statement still runs');
  });
  api.close();
  await service.stop();
  const [late] = await suite.database.sql`SELECT count(*) FROM tasks WHERE title = 'late'`;
  assert.equal(late!['count'], '0');
});

test('a body that comes slowly does not make the queue look slow', async () => {
  const service = await startService({
    database: suite.database.config,
    env: { QUEUE_WAIT_MAX_MS: '3000', BATCH_MAX: '4', REQUEST_TIMEOUT_MS: '60000', FRONTENDS: '1' },
  });
  const slow = await openRaw(service.port);
  const body = '{"title":"slow body"}';
  await slow.send(
    `POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  );
  await sleep(3500);
  const held: Promise<Answer>[] = [];
  const api = createApi(service.port, 20);
  await withLockedTasks(async () => {
    for (let depth = 1; depth <= 2; depth++) {
      held.push(api.post({ title: 'held' }));
      await queueHas(service.port, depth);
    }
    await slow.send(body.slice(5));
    await queueHas(service.port, 3);
    held.push(api.post({ title: 'comes just behind it' }));
    await queueHas(service.port, 4);
  });
  for (const answer of await Promise.all(held)) assert.equal(answer.status, 201, answer.text);
  assert.equal((await slow.answers(1))[0]?.status, 201);
  slow.close();
  api.close();
  await service.stop();
});

/** Resolves when that many requests of the kind are queued or in flight. */
function queueHas(port: number, depth: number, kind = 'create'): Promise<void> {
  return eventually(
    async () => (await scrape(port)).sum('queue_depth', { kind }) === depth,
    `there are not ${depth} requests of the kind ${kind}`,
  );
}
