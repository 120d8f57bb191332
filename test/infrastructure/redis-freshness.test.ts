/**
 * Freshness with each form of Redis, while masters change and slots move. INFRASTRUCTURE_SECONDS is
 * the time of each; `make test` has about a second.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { slotOf } from '../../src/cache/redis/slot.ts';
import { type Bench, runFreshness } from '../freshness/run.ts';
import { makeCertificates, withoutOpenssl } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { startRedis, withoutRedisTools } from '../support/redis.ts';
import { aclLine } from '../support/redis-acl.ts';
import { startRedisCluster, startSentinelGroup } from '../support/redis-group.ts';

const seconds = Number(process.env['INFRASTRUCTURE_SECONDS'] ?? 1);
const skip = withoutRedisTools();

async function expectFresh(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  faults: (bench: Bench) => Promise<void>,
): Promise<void> {
  const { operations, violations, log } = await runFreshness({ seconds, env, faults });
  t.diagnostic(`${operations} operations checked, ${violations.length} violations`);
  assert.deepEqual(violations.slice(0, 5), []);
  // In a second on a busy machine there is hardly anything to check.
  assert.ok(operations > (seconds < 5 ? 0 : 10 * seconds), `only ${operations} operations`);
  if (seconds >= 5) assert.ok(log.some(({ message }) => message === 'lists are cached in Redis'));
  assert.deepEqual(
    log.filter(({ level, message }) => level === 'error' && /Redis/.test(message)),
    [],
  );
}

test('nothing is stale with TLS, a user of few rights and a prefix, while Redis dies and returns', {
  skip: skip === false ? withoutOpenssl() : skip,
}, async (t) => {
  const files = makeCertificates();
  const port = await freePort();
  const redis = await startRedis({
    args: [
      ...['--tls-port', `${port}`, '--tls-cert-file', files.certificate],
      ...['--tls-key-file', files.key, '--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'no'],
    ],
  });
  const admit = async () => {
    assert.equal(await redis.command(aclLine('word', 'mine:')), '+OK');
  };
  await admit();
  const env = {
    REDIS_URL: `rediss://tasks:word@localhost:${port}/3`,
    REDIS_TLS_CA_FILE: files.ca,
    REDIS_KEY_PREFIX: 'mine:',
  };
  await expectFresh(t, env, async (bench) => {
    while (!bench.isOver()) {
      await bench.pause(700);
      // So that a missing user is not an error: it is created with the server.
      redis.freeze();
      await bench.pause(300);
      redis.thaw();
    }
  });
  await redis.kill();
});

test('nothing is stale through Sentinels, while masters are killed, frozen and put down', {
  skip,
}, async (t) => {
  const group = await startSentinelGroup({ masterName: 'tasks' });
  const env = { REDIS_SENTINELS: group.list, REDIS_MASTER_NAME: 'tasks' };
  await expectFresh(t, env, async (bench) => {
    for (let round = 0; !bench.isOver(); round++) {
      await bench.pause(500);
      const port = group.masterPort();
      const master = group.servers.find((server) => String(server.port) === port)!;
      if (round % 2 === 0) {
        await master.kill();
        await bench.pause(3000);
        await master.start();
      } else {
        master.freeze();
        await bench.pause(3000);
        // It still acts as master until a Sentinel reconfigures it.
        master.thaw();
      }
      await bench.pause(2000);
    }
  });
  for (const server of [...group.servers, ...group.sentinels]) await server.kill();
});

test('nothing is stale in a cluster, while slots move under load', { skip }, async (t) => {
  const cluster = await startRedisCluster();
  await expectFresh(t, { REDIS_CLUSTER: cluster.list }, async (bench) => {
    for (let round = 0; !bench.isOver(); round++) {
      const [from, to] = [round % 3, (round + 1) % 3];
      const keys = cluster.nodes[from]!.ask('KEYS', '*').split(',').filter(Boolean);
      for (const slot of new Set(keys.slice(0, 20).map(slotOf))) {
        if (bench.isOver()) break;
        cluster.move(from, to, [slot]);
        await bench.pause(20);
      }
      await bench.pause(50);
    }
  });
  for (const node of cluster.nodes) await node.kill();
});
