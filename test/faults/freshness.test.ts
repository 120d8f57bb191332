/**
 * Checks freshness with clients in several processes. FRESHNESS_SECONDS is the total time (14: each
 * fault once); `make test-freshness` runs only this file, for 60.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bench, type RunOptions, runFreshness } from '../freshness/run.ts';
import { type RedisServer, startRedis, withoutRedis } from '../support/redis.ts';

const seconds = Number(process.env['FRESHNESS_SECONDS'] ?? 14);
const skip = withoutRedis();
const blind = join(import.meta.dirname, '../support/blind-generation-hook.js');

async function expectFresh(t: TestContext, options: RunOptions) {
  const { operations, violations, log } = await runFreshness(options);
  t.diagnostic(`${operations} operations checked, ${violations.length} violations`);
  assert.deepEqual(violations.slice(0, 5), []);
  // Far fewer than on an idle machine: only to know that there was something to check.
  assert.ok(operations > 10 * options.seconds, `only ${operations} operations`);
  return log;
}

test('nothing is stale with Redis', { skip }, async (t) => {
  await expectFresh(t, { seconds: seconds / 3, redis: await startRedis() });
});

test('nothing is stale while Redis is killed, frozen and flushed, and front ends are killed', {
  skip,
}, async (t) => {
  const redis = await startRedis();
  const faults = async (bench: Bench) => {
    await Promise.all([troubleRedis(redis, bench), killFrontEnds(bench)]);
  };
  const log = await expectFresh(t, { seconds: seconds / 2, redis, faults });
  const said = (message: string) => log.some((line) => line.message === message);
  // Redis is never down long enough for a log line; its use is logged.
  assert.ok(said('lists are cached in Redis'));
  assert.ok(said('a front end died'));
});

test('nothing is stale without Redis', async (t) => {
  await expectFresh(t, { seconds: seconds / 6 });
});

test('a service that does not check the generation is found out', { skip }, async (t) => {
  const redis = await startRedis();
  const env = { NODE_OPTIONS: `--import=${blind}` };
  let found = 0;
  // On a busy machine so little happens in a few seconds that nothing may be stale.
  for (let length = 4; found === 0 && length <= 64; length *= 2) {
    const { operations, violations } = await runFreshness({ seconds: length, redis, env });
    found = violations.length;
    t.diagnostic(`${operations} operations checked, ${found} violations, as there should be`);
  }
  assert.ok(found > 0);
});

async function troubleRedis(redis: RedisServer, bench: Bench): Promise<void> {
  while (!bench.isOver()) {
    await bench.pause(1000);
    await redis.command('FLUSHALL');
    await bench.pause(500);
    redis.freeze();
    await bench.pause(1500);
    redis.thaw();
    await bench.pause(1000);
    await redis.kill();
    await bench.pause(1000);
    await redis.start();
  }
}

async function killFrontEnds(bench: Bench): Promise<void> {
  while (!bench.isOver()) {
    await bench.pause(2500);
    const victims = bench.service.frontEnds();
    const victim = victims[Math.floor(Math.random() * victims.length)];
    if (victim !== undefined && !bench.isOver()) process.kill(victim, 'SIGKILL');
  }
}
