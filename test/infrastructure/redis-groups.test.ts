/**
 * Groups of Redis servers, while masters change and slots move: each list found equals the stored
 * one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { slotOf } from '../../src/cache/redis/slot.ts';
import { makeCertificates, withoutOpenssl } from '../support/certificates.ts';
import { type RedisServer, withoutRedisTools } from '../support/redis.ts';
import { openRedisBench, type RedisBench } from '../support/redis-bench.ts';
import {
  type RedisCluster,
  startRedisCluster,
  startSentinelGroup,
} from '../support/redis-group.ts';
import { eventually } from '../support/service.ts';

const skip = withoutRedisTools();
const away = 'the cache in Redis is away';
const lists = Array.from({ length: 64 }, (_, number) => number);

/** The servers to stop at the end. */
const ends: RedisServer[] = [];
after(async () => {
  for (const server of ends) await server.kill();
});

function times(bench: RedisBench, message: string): number {
  return bench.log.filter((line) => line.message === message).length;
}

/** On a busy machine a reply may be late; none may be wrong, refused or lost. */
function expectOnlyTimeouts({ stats }: RedisBench): void {
  assert.ok(stats.redisFailures <= stats.redisTimeouts, JSON.stringify(stats));
}

test('through Sentinels the master is used, and the next one after a failover', {
  skip,
}, async () => {
  const group = await startSentinelGroup({ masterName: 'tasks' });
  ends.push(...group.servers, ...group.sentinels);
  const [master, replica] = group.servers;
  const bench = openRedisBench({ REDIS_SENTINELS: group.list, REDIS_MASTER_NAME: 'tasks' });
  await bench.useAll(...lists);
  await bench.told('lists are cached in Redis');

  await master!.kill();
  await eventually(() => group.masterPort() === String(replica!.port), 'there is no failover');
  await bench.useAll(...lists, 1000);
  assert.equal(replica!.ask('DBSIZE'), String(lists.length + 1));
  await eventually(() => bench.cache.isUp(), 'it is not well');
  // A fast failover is not logged.
  assert.ok(times(bench, away) <= 1, JSON.stringify(bench.log));
  assert.equal(times(bench, away), times(bench, 'the cache in Redis is back'));
  assert.equal(times(bench, 'Redis takes no lists'), 0, JSON.stringify(bench.log));
  bench.close();
});

describe('a cluster', { skip }, () => {
  let cluster: RedisCluster;
  let bench: RedisBench;

  before(async () => {
    cluster = await startRedisCluster();
    ends.push(...cluster.nodes);
    // One node is enough to discover the others.
    bench = openRedisBench({ REDIS_CLUSTER: `127.0.0.1:${cluster.nodes[1]!.port}` });
  });
  after(() => bench?.close());

  test('keeps each list where its slot is, and finds those of many slots at once', async () => {
    await bench.useAll(...lists);
    await bench.told('lists are cached in Redis');
    for (const node of cluster.nodes) assert.notEqual(node.ask('DBSIZE'), '0');
    for (const key of cluster.nodes[0]!.ask('KEYS', '*').split(',')) {
      assert.equal(String(slotOf(key)), cluster.nodes[0]!.ask('CLUSTER', 'KEYSLOT', key));
    }
    expectOnlyTimeouts(bench);
    assert.equal(bench.log.length, 1, JSON.stringify(bench.log));
  });

  test('goes on while slots move, tells nothing, and finds all of them again', async () => {
    const keys = cluster.nodes[0]!.ask('KEYS', '*').split(',');
    const moving = [...new Set(keys.map(slotOf))];
    let found = 0;
    for (const slot of moving) {
      cluster.move(0, 1, [slot]);
      found += await bench.find(...lists);
      bench.store(...lists);
      await new Promise(setImmediate);
    }
    assert.ok(found > 0, 'nothing was found meanwhile');
    await bench.useAll(...lists);
    assert.equal(cluster.nodes[0]!.ask('DBSIZE'), '0');
    expectOnlyTimeouts(bench);
    assert.equal(bench.log.length, 1, JSON.stringify(bench.log));
  });

  test('still serves the slots of the others when a node is away, and says which', async () => {
    const lost = cluster.nodes[2]!;
    lost.freeze();
    await bench.find(...lists);
    await eventually(async () => (await bench.find(...lists)) > 0, 'the others are not used');
    const line = await bench.told(away);
    assert.equal(line['server'], `127.0.0.1:${lost.port}`, JSON.stringify(bench.log));
    lost.thaw();
    await bench.told('the cache in Redis is back');
    await bench.useAll(...lists);
    assert.equal(times(bench, away), 1);
  });
});

test('a cluster with TLS, users and a prefix is used with the rights of the documents', {
  skip: skip === false ? withoutOpenssl() : skip,
}, async () => {
  const files = makeCertificates();
  const user = 'user tasks on >word ~mine:tasks:* +mget +get +set +select +cluster|slots';
  const cluster = await startRedisCluster(
    { args: user.split(' ').reduce<string[]>(asArgument, []) },
    [
      ...['--tls-cert-file', files.certificate, '--tls-key-file', files.key],
      ...['--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'no'],
    ],
  );
  ends.push(...cluster.nodes);
  const bench = openRedisBench({
    REDIS_CLUSTER: cluster.tlsList,
    REDIS_TLS: 'true',
    REDIS_TLS_CA_FILE: files.ca,
    REDIS_USERNAME: 'tasks',
    REDIS_PASSWORD: 'word',
    REDIS_KEY_PREFIX: 'mine:',
  });
  await bench.useAll(...lists);
  expectOnlyTimeouts(bench);
  bench.close();
});

/** Converts a line of the configuration file to arguments: `--user tasks on …`. */
function asArgument(before: string[], word: string): string[] {
  return before.length === 0 ? [`--${word}`] : [...before, word];
}
