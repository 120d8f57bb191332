/** Whatever Redis does, lists are correct and fast, and the log reports each change once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Api, createApi } from '../support/api.ts';
import { type Behaviour, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RedisServer, startRedis, withoutRedis } from '../support/redis.ts';
import { eventually, type Service, startService } from '../support/service.ts';

const skip = withoutRedis();
/**
 * Half of the request timeout: a list that waits for Redis alone exceeds it. PostgreSQL takes 1 ms.
 */
const soonMs = 5000;

let database: TestDatabase;
let redis: RedisServer;
let proxy: FaultProxy;
let service: Service;
let api: Api;

before(async () => {
  if (skip !== false) return;
  database = await createTestDatabase('cache_faults');
  redis = await startRedis();
  proxy = await startFaultProxy(redis.port);
  service = await startService({
    database: database.config,
    // No lists in memory: every list is looked up in Redis.
    env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(proxy.port), CACHE_MAX_BYTES: '0' },
  });
  api = createApi(service.port);
});

after(async () => {
  api?.close();
  await service?.stop();
  proxy?.close();
  await database?.drop();
});

const away = 'the cache in Redis is away';
const back = 'the cache in Redis is back';

function saidTimes(message: string): number {
  return service.log.filter((line) => line.message === message).length;
}

async function expectTitles(titles: readonly string[]): Promise<void> {
  const began = performance.now();
  const answer = await api.get('/api/tasks?per_page=100');
  const took = performance.now() - began;
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(
    answer.body.data.map(({ title }) => title),
    titles,
  );
  assert.ok(took < soonMs, `it took ${Math.round(took)} ms`);
}

/** The hits of Redis so far. */
async function redisHits(): Promise<number> {
  const answer = await redisInfo();
  return Number(/keyspace_hits:(\d+)/.exec(answer)?.[1]);
}

async function redisInfo(): Promise<string> {
  const { Redis } = await import('ioredis');
  const client = new Redis({ port: redis.port, lazyConnect: true });
  await client.connect();
  const text = await client.info('stats');
  client.disconnect();
  return text;
}

const titles: string[] = [];

const ids: number[] = [];
/** All fit on one page, however long a log line takes. */
const tasksMax = 50;
let written = 0;

async function write(): Promise<void> {
  titles.push(`task ${written++}`);
  ids.push(await api.create({ title: titles.at(-1)! }));
  if (titles.length <= tasksMax) return;
  titles.shift();
  assert.equal((await api.remove(ids.shift()!)).status, 204);
}

/** A list requested before comes from Redis. */
async function expectRedisIsUsed(): Promise<void> {
  await write();
  await eventually(async () => {
    const before = await redisHits();
    await expectTitles(titles);
    return (await redisHits()) > before;
  }, 'Redis is not used');
}

test('a list that was read once comes from Redis', { skip }, async () => {
  await expectRedisIsUsed();
  assert.equal(saidTimes(away), 0);
});

const faults: readonly (readonly [name: string, behaviour: Behaviour])[] = [
  ['is cut off', { type: 'cut' }],
  ['says nothing', { type: 'silence' }],
  ['is too slow', { type: 'delay', milliseconds: 300 }],
  [
    'answers what is no Redis protocol',
    { type: 'answer', bytes: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
  ],
  ['answers with an error', { type: 'answer', bytes: '-LOADING Redis is loading\r\n' }],
  ['answers with a number', { type: 'answer', bytes: ':42\r\n' }],
  [
    'answers with lists of the wrong length',
    { type: 'answer', bytes: '*3\r\n$-1\r\n$-1\r\n$-1\r\n' },
  ],
  ['answers with lists that are none', { type: 'answer', bytes: '*1\r\n$5\r\nhello\r\n' }],
  ['has changed a list', { type: 'garble', from: '"title":"task', to: '"title":"TASK' }],
];

for (const [name, behaviour] of faults) {
  test(`a Redis that ${name} changes no answer`, { skip }, async () => {
    await expectRedisIsUsed();
    const before = { away: saidTimes(away), back: saidTimes(back) };
    proxy.behave(behaviour);
    for (let round = 0; round < 5; round++) {
      await expectTitles(titles);
      await write();
      await expectTitles(titles);
      await expectTitles(titles);
    }
    // Only lasting trouble is logged, once. That takes seconds, so only two cases check it.
    if (behaviour.type === 'cut' || behaviour.type === 'silence') {
      await eventually(() => saidTimes(away) > before.away, 'the log does not say it');
    }
    proxy.behave({ type: 'pass' });
    await expectRedisIsUsed();
    await eventually(
      () => saidTimes(back) - before.back === saidTimes(away) - before.away,
      'the log does not say that it is over',
    );
    assert.ok(saidTimes(away) <= before.away + 1);
  });
}

test('a Redis that is full still gives what it has, and the log says it once', {
  skip,
}, async () => {
  await expectRedisIsUsed();
  const full = 'Redis takes no lists';
  await redis.command('CONFIG SET maxmemory 1');
  // Each list is sent to Redis, except for a moment after a timeout.
  await eventually(async () => {
    await write();
    await expectTitles(titles);
    return saidTimes(full) > 0;
  }, 'the log does not say it');
  await redis.command('CONFIG SET maxmemory 0');
  await expectRedisIsUsed();
  // Once for each change: with a late store, Redis may have counted as down in between.
  await eventually(
    () => saidTimes('Redis takes lists again') === saidTimes(full),
    'the log does not say that it is over',
  );
  assert.ok(saidTimes(full) <= 1 + saidTimes(away));
});

test('a service starts without its Redis and finds it later', { skip }, async () => {
  proxy.behave({ type: 'cut' });
  const late = await startService({
    database: database.config,
    env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(proxy.port) },
  });
  const client = createApi(late.port);
  assert.equal((await client.get('/api/tasks')).status, 200);
  await late.logged((line) => line.message === away);
  proxy.behave({ type: 'pass' });
  await late.logged((line) => line.message === back);
  assert.equal(late.log.filter((line) => line.message === away).length, 1);
  client.close();
  assert.equal(await late.stop(), 0);
});
