/**
 * The states of Redis that prevent its use: each is logged in words, once, and so is the recovery.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Certificates, makeCertificates, withoutOpenssl } from '../support/certificates.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, startRedis, withoutRedisTools } from '../support/redis.ts';
import { aclLine } from '../support/redis-acl.ts';
import { openRedisBench, type RedisBench } from '../support/redis-bench.ts';
import { mark } from '../support/secrets.ts';
import { eventually, type LogLine, makeFolder } from '../support/service.ts';

const skip = withoutRedisTools();
const skipTls = skip === false ? withoutOpenssl() : skip;
const away = 'the cache in Redis is away';
const password = `${mark}-states`;

let redis: RedisServer;

before(async () => {
  if (skip === false) redis = await startRedis();
});
const proxies: FaultProxy[] = [];
after(async () => {
  for (const proxy of proxies) proxy.close();
  await redis?.kill();
});

async function startProxy(port: number): Promise<FaultProxy> {
  const proxy = await startFaultProxy(port);
  proxies.push(proxy);
  return proxy;
}

function open(server: { readonly port: number }, more: Readonly<Record<string, string>> = {}) {
  return openRedisBench({ REDIS_HOST: '127.0.0.1', REDIS_PORT: `${server.port}`, ...more });
}

function times(log: readonly LogLine[], message: string): number {
  return log.filter((line) => line.message === message).length;
}

/** Expects this log line once, and then that the cache works again. */
async function expectTold(
  bench: RedisBench,
  { level, reason, mend }: { level: string; reason: RegExp; mend: () => unknown },
): Promise<void> {
  const line = await bench.told(away);
  assert.equal(line.level, level, JSON.stringify(line));
  assert.match(String(line['reason']), reason);
  assert.equal(bench.cache.isUp(), false);
  await mend();
  await eventually(
    () => bench.cache.isUp(),
    () => `not well: ${JSON.stringify(bench.log)}`,
  );
  await bench.useAll(1, 2, 3);
  assert.equal(times(bench.log, away), 1);
  assert.ok(!JSON.stringify(bench.log).includes(mark));
  bench.close();
}

const isNode = ['--cluster-enabled', 'yes'];

interface Other {
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly level?: string;
  readonly prepare?: (server: RedisServer) => unknown;
}

/** First a server of another kind listens at Redis's address; then Redis does. */
async function expectOther(args: readonly string[], reason: RegExp, other: Other = {}) {
  const { env, level = 'error', prepare, file } = other;
  const server = await startRedis({ args, ...(file === undefined ? {} : { file }) });
  await prepare?.(server);
  const proxy = await startProxy(server.port);
  await expectTold(open(proxy, env), { level, reason, mend: () => proxy.aim(redis.port) });
  await server.kill();
}

function emptyFile(): string {
  const file = join(makeFolder(), 'sentinel.conf');
  writeFileSync(file, '');
  return file;
}

describe('what is told of Redis', { concurrency: true }, () => {
  test('a user whose password is wrong, who is none, or who lacks a right, is told which variable to look at', {
    skip,
  }, async () => {
    const user = { REDIS_USERNAME: 'tasks', REDIS_PASSWORD: password };
    const credentials = { level: 'error', reason: /REDIS_USERNAME and REDIS_PASSWORD.*WRONGPASS/ };
    await expectTold(open(redis, user), {
      ...credentials,
      mend: () => redis.command(`ACL SETUSER tasks on >${password} ~* +@all`),
    });
    await redis.command(`ACL SETUSER tasks resetpass >another`);
    await expectTold(open(redis, user), {
      ...credentials,
      mend: () => redis.command(`ACL SETUSER tasks resetpass >${password}`),
    });
    await redis.command('ACL SETUSER tasks -mget');
    await expectTold(open(redis, user), {
      level: 'error',
      reason: /REDIS_USERNAME.*NOPERM.*mget/,
      mend: () => redis.command('ACL SETUSER tasks +mget'),
    });
    await redis.command('ACL SETUSER tasks resetkeys ~other:*');
    await expectTold(open(redis, user), {
      level: 'error',
      reason: /REDIS_USERNAME.*NOPERM/,
      mend: () => redis.command('ACL SETUSER tasks allkeys'),
    });
    await redis.command('ACL DELUSER tasks');
  });

  test('the rights of the documents are enough, and their user sees nothing else', {
    skip,
  }, async () => {
    const own = await startRedis();
    const reply = await own.command(aclLine(password, 'mine:'));
    assert.equal(reply, '+OK');
    const bench = open(own, {
      REDIS_USERNAME: 'tasks',
      REDIS_PASSWORD: password,
      REDIS_KEY_PREFIX: 'mine:',
      REDIS_DB: '2',
    });
    await bench.useAll(1, 2, 3);
    await bench.told('lists are cached in Redis');
    assert.equal(bench.log.length, 1, JSON.stringify(bench.log));
    bench.close();
    assert.equal(await own.command('ACL DRYRUN tasks GET mine:tasks:list:1'), '+OK');
    assert.notEqual(await own.command('ACL DRYRUN tasks GET tasks:list:1'), '+OK');
    assert.notEqual(await own.command('ACL DRYRUN tasks FLUSHALL'), '+OK');
    await own.kill();
  });

  test('a Redis that begins to ask for a password is told, with the variable, and found again', {
    skip,
  }, async () => {
    const own = await startRedis();
    assert.equal(await own.command(`CONFIG SET requirepass ${password}`), '+OK');
    await expectTold(open(own), {
      level: 'error',
      reason: /REDIS_PASSWORD.*NOAUTH/,
      mend: () => own.ask('-a', password, 'CONFIG', 'SET', 'requirepass', ''),
    });
    // A needless password is no error: ioredis has always accepted it.
    const needless = open(own, { REDIS_PASSWORD: password });
    await needless.useAll(1);
    needless.close();
    await own.kill();
  });

  test('two services with two prefixes, or two databases, in one Redis do not see each other', {
    skip,
  }, async () => {
    const own = await startRedis();
    const one = open(own, { REDIS_KEY_PREFIX: 'one:' });
    const two = open(own, { REDIS_KEY_PREFIX: 'two:' });
    const third = open(own, { REDIS_KEY_PREFIX: 'one:', REDIS_DB: '1' });
    await one.useAll(1, 2);
    await two.useAll(3);
    await third.useAll(4);
    assert.equal(await one.find(3, 4), 0);
    assert.equal(await two.find(1, 2, 4), 0);
    assert.equal(await third.find(1, 2, 3), 0);
    const keys = own.ask('KEYS', '*').split(',');
    assert.ok(
      keys.length === 3 && keys.every((key) => /^(one|two):tasks:list:/.test(key)),
      keys.join(' '),
    );
    for (const bench of [one, two, third]) bench.close();
    await own.kill();
  });

  test('a node of a cluster, a Sentinel, an old server and a missing database are told for what they are', {
    skip,
  }, async () => {
    await Promise.all([
      expectOther(isNode, /REDIS_CLUSTER.*CLUSTERDOWN/),
      expectOther(isNode, /REDIS_CLUSTER.*CROSSSLOT/, {
        prepare: (node) => node.command('CLUSTER ADDSLOTSRANGE 0 16383'),
      }),
      expectOther(['--sentinel'], /a Sentinel/, { file: emptyFile() }),
      expectOther(['--rename-command', 'MGET', ''], /too old.*unknown command/),
      expectOther(['--databases', '1'], /REDIS_DB.*out of range/, { env: { REDIS_DB: '1' } }),
    ]);
  });

  test('a replica that lost its master, a Redis that loads and one that is not there are told without an error', {
    skip,
  }, async () => {
    const level = 'warn';
    async function lost(): Promise<void> {
      const proxy = await startProxy(await freePort());
      const mend = () => proxy.aim(redis.port);
      await expectTold(open(proxy), { level, reason: /closed the connection/, mend });
    }
    async function nobody(): Promise<void> {
      const bench = open({ port: await freePort() });
      const line = await bench.told(away);
      assert.match(String(line['reason']), /nothing listens there.*ECONNREFUSED/);
      bench.close();
    }
    async function loading(): Promise<void> {
      const proxy = await startProxy(redis.port);
      proxy.behave({
        type: 'answer',
        bytes: '-LOADING Redis is loading the dataset in memory\r\n',
      });
      const mend = () => proxy.behave({ type: 'pass' });
      await expectTold(open(proxy), { level, reason: /loading its data/, mend });
    }
    const orphan = ['--replicaof', '127.0.0.1 1', '--replica-serve-stale-data', 'no'];
    await Promise.all([
      lost(),
      nobody(),
      loading(),
      expectOther(orphan, /lost its master.*MASTERDOWN/, { level }),
    ]);
  });

  test('a Redis that takes no lists, because it is full, a replica, or without a right, is told once', {
    skip,
  }, async () => {
    const own = await startRedis();
    await own.command('ACL SETUSER tasks on >word ~* +@all');
    const bench = open(own, { REDIS_USERNAME: 'tasks', REDIS_PASSWORD: 'word' });
    let number = 10;
    for (const [spoil, mend, level, reason] of [
      ['CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0', 'warn', /maxmemory-policy.*OOM/],
      ['REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE', 'warn', /replica.*READONLY/],
      ['ACL SETUSER tasks -set', 'ACL SETUSER tasks +set', 'error', /REDIS_USERNAME.*NOPERM.*set/],
    ] as const) {
      await bench.useAll(1);
      await bench.told('lists are cached in Redis');
      const since = bench.log.length;
      await own.command(spoil);
      await eventually(
        async () => {
          bench.store(number++);
          // Refused or not, it gets the same commands.
          await bench.find(1);
          return times(bench.log.slice(since), 'Redis takes no lists') > 0;
        },
        () => `not told: ${JSON.stringify(bench.log)}`,
      );
      await eventually(async () => (await bench.find(1)) === 1, 'it serves no more');
      await own.command(mend);
      await eventually(
        () => {
          bench.store(number++);
          return times(bench.log.slice(since), 'Redis takes lists again') > 0;
        },
        () => `not over: ${JSON.stringify(bench.log)}`,
      );
      const told = bench.log.slice(since);
      assert.deepEqual(
        told.map((line) => line.message),
        ['Redis takes no lists', 'Redis takes lists again'],
      );
      assert.equal(told[0]!.level, level);
      assert.match(String(told[0]!['reason']), reason);
    }
    bench.close();
    await own.kill();
  });

  test('TLS is spoken to whom the authority vouches for, and everything else is told for what it is', {
    skip: skipTls,
  }, async () => {
    const files: Certificates = makeCertificates();
    const port = await freePort();
    const settings = (certificate: string): string[] => [
      ...['--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', files.key],
      ...['--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'no'],
    ];
    const own = await startRedis({ args: settings(files.certificate) });
    const trusting = { REDIS_TLS: 'true', REDIS_TLS_CA_FILE: files.ca };
    for (const host of ['127.0.0.1', 'localhost']) {
      const bench = openRedisBench({ REDIS_HOST: host, REDIS_PORT: `${port}`, ...trusting });
      await bench.useAll(1, 2);
      assert.deepEqual(
        bench.log.filter((line) => line.level !== 'info'),
        [],
      );
      bench.close();
    }
    const url = openRedisBench({
      REDIS_URL: `rediss://localhost:${port}/0`,
      REDIS_TLS_CA_FILE: files.ca,
    });
    await url.useAll(1, 2);
    url.close();

    async function expectReason(
      env: Readonly<Record<string, string>>,
      reason: RegExp,
      { to = port, level = 'error' } = {},
    ) {
      const bench = openRedisBench({ REDIS_HOST: 'localhost', REDIS_PORT: `${to}`, ...env });
      const line = await bench.told(away);
      assert.match(String(line['reason']), reason);
      assert.equal(line.level, level, JSON.stringify(line));
      assert.equal(times(bench.log, away), 1);
      bench.close();
    }
    const untrusted = /not trusted: look at REDIS_TLS_CA_FILE/;
    await expectReason({ REDIS_TLS: 'true' }, untrusted);
    await expectReason({ REDIS_TLS: 'true', REDIS_TLS_CA_FILE: files.otherCa }, untrusted);
    await expectReason({}, /speak(s)? TLS.*REDIS_TLS/, { level: 'warn' });
    await expectReason(trusting, /does the port speak TLS/, { to: own.port, level: 'warn' });
    assert.equal(await own.command('CONFIG SET tls-auth-clients yes'), '+OK');
    await expectReason(trusting, /certificate of its clients.*tls-auth-clients/);
    await own.kill();
    const misnamed = await startRedis({ args: settings(files.misnamed) });
    await expectReason(trusting, /for another host/);
    await misnamed.kill();
  });

  test('Sentinels that refuse, know no such master, or are none, are told; with the right one it works', {
    skip,
  }, async () => {
    const file = join(makeFolder(), 'sentinel.conf');
    writeFileSync(
      file,
      `sentinel monitor tasks 127.0.0.1 ${redis.port} 1\nrequirepass ${password}\n`,
    );
    const sentinel = await startRedis({ file, args: ['--sentinel'], login: `AUTH ${password}` });
    const at = {
      REDIS_SENTINELS: `127.0.0.1:1,127.0.0.1:${sentinel.port}`,
      REDIS_MASTER_NAME: 'tasks',
    };
    const known = { ...at, REDIS_SENTINEL_PASSWORD: password };
    for (const [env, reason] of [
      [at, /REDIS_SENTINEL_PASSWORD.*NOAUTH/],
      [{ ...at, REDIS_SENTINEL_PASSWORD: 'wrong' }, /REDIS_SENTINEL_PASSWORD.*WRONGPASS/],
      [{ ...known, REDIS_MASTER_NAME: 'other' }, /REDIS_MASTER_NAME/],
      [{ ...at, REDIS_SENTINELS: `127.0.0.1:${redis.port}` }, /no Sentinel/],
    ] as const) {
      const bench = openRedisBench(env);
      const line = await bench.told(away);
      assert.equal(line.level, 'error');
      assert.match(String(line['reason']), reason);
      assert.ok(!JSON.stringify(bench.log).includes(mark));
      bench.close();
    }
    // The privilege that the documents name.
    await sentinel.command('ACL SETUSER watcher on >word +sentinel|get-master-addr-by-name');
    const asUser = { ...at, REDIS_SENTINEL_USERNAME: 'watcher', REDIS_SENTINEL_PASSWORD: 'word' };
    for (const env of [known, asUser]) {
      const bench = openRedisBench(env);
      await bench.useAll(1, 2);
      await bench.told('lists are cached in Redis');
      assert.equal(bench.log.length, 1, JSON.stringify(bench.log));
      bench.close();
    }
    await sentinel.kill();
  });

  test('a server that is no cluster is reported', { skip }, async () => {
    const bench = openRedisBench({ REDIS_CLUSTER: `127.0.0.1:${redis.port}` });
    const line = await bench.told(away);
    assert.equal(line.level, 'error');
    assert.match(String(line['reason']), /REDIS_CLUSTER is no cluster/);
    bench.close();
  });
});

test('an answer that is late now and then is counted, and not told', { skip }, async () => {
  const proxy = await startProxy(redis.port);
  const bench = open(proxy);
  await bench.useAll(1);
  await bench.told('lists are cached in Redis');
  for (let round = 1; round <= 6; round++) {
    proxy.behave({ type: 'freeze' });
    assert.equal(await bench.find(1), 0, 'a request does not wait for it');
    assert.equal(bench.cache.isThere(), false, 'and the next one does not ask');
    proxy.behave({ type: 'pass' });
    await eventually(() => bench.cache.isThere(), 'it is not asked again');
    assert.equal(await bench.find(1), 1);
  }
  assert.ok(bench.stats.redisTimeouts >= 6);
  assert.equal(bench.log.length, 1, JSON.stringify(bench.log));
  assert.equal(bench.cache.isUp(), true);
  bench.close();
});

test('an event loop that is held up is not taken for a slow Redis', { skip }, async () => {
  const bench = open(redis);
  await bench.useAll(1);
  for (let round = 0; round < 5; round++) {
    const found = bench.find(1);
    // The command has been sent; the reply arrives while the event loop is blocked.
    await new Promise(setImmediate);
    const until = performance.now() + 120;
    while (performance.now() < until);
    assert.equal(await found, 1);
  }
  assert.equal(bench.stats.redisTimeouts, 0);
  bench.close();
});
