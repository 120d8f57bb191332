import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RedisConfig } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'redis-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function redisOf(environment: Readonly<Record<string, string>>): RedisConfig | null {
  const result = parseConfig(environment);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.redis;
}

function faultsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  const result = parseConfig(environment);
  return result.ok ? [] : result.faults;
}

const plain = {
  username: '',
  password: '',
  db: 0,
  tls: null,
  keyPrefix: '',
  ttlSeconds: 600,
};

test('each form of Redis is understood', () => {
  assert.deepEqual(
    redisOf({ REDIS_SENTINELS: 'a, b:1,[::1]:2,10.0.0.1', REDIS_MASTER_NAME: 'm' }),
    {
      ...plain,
      place: {
        form: 'sentinel',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
          { host: '::1', port: 2 },
          { host: '10.0.0.1', port: 26_379 },
        ],
        masterName: 'm',
        username: '',
        password: '',
      },
    },
  );
  assert.deepEqual(redisOf({ REDIS_CLUSTER: 'a:7000,b', REDIS_TLS: 'true' }), {
    ...plain,
    tls: { ca: null },
    place: {
      form: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
      ],
    },
  });
  assert.deepEqual(
    redisOf({
      REDIS_HOST: 'h',
      REDIS_USERNAME: 'me',
      REDIS_PASSWORD: 'word',
      REDIS_DB: '3',
      REDIS_KEY_PREFIX: 'one:',
    }),
    {
      ...plain,
      place: { form: 'server', server: { host: 'h', port: 6379 } },
      username: 'me',
      password: 'word',
      db: 3,
      keyPrefix: 'one:',
    },
  );
});

const sentinels = { REDIS_SENTINELS: 'a', REDIS_MASTER_NAME: 'm' };

test('settings that exclude each other, or lack their other half, are a fault of a name', () => {
  for (const [given, name] of [
    [{ ...sentinels, REDIS_CLUSTER: 'a' }, 'REDIS_CLUSTER'],
    [{ ...sentinels, REDIS_HOST: 'a' }, 'REDIS_HOST'],
    [{ ...sentinels, REDIS_URL: 'redis://a' }, 'REDIS_URL'],
    [{ ...sentinels, REDIS_PORT: '6379' }, 'REDIS_PORT'],
    [{ REDIS_CLUSTER: 'a', REDIS_HOST: 'a' }, 'REDIS_HOST'],
    [{ REDIS_CLUSTER: 'a', REDIS_URL: 'redis://a' }, 'REDIS_URL'],
    [{ REDIS_CLUSTER: 'a', REDIS_DB: '1' }, 'REDIS_DB'],
    [{ REDIS_SENTINELS: 'a' }, 'REDIS_MASTER_NAME'],
    [{ REDIS_HOST: 'a', REDIS_MASTER_NAME: 'm' }, 'REDIS_MASTER_NAME'],
    [{ REDIS_HOST: 'a', REDIS_SENTINEL_PASSWORD: 'x' }, 'REDIS_SENTINEL_PASSWORD'],
    [{ ...sentinels, REDIS_SENTINEL_USERNAME: 'x' }, 'REDIS_SENTINEL_USERNAME'],
    [{ REDIS_HOST: 'a', REDIS_USERNAME: 'x' }, 'REDIS_USERNAME'],
    [{ REDIS_HOST: 'a', REDIS_TLS_CA_FILE: '/x' }, 'REDIS_TLS_CA_FILE'],
    [{ REDIS_HOST: 'a', REDIS_TLS: 'true', REDIS_TLS_CA_FILE: '/nowhere' }, 'REDIS_TLS_CA_FILE'],
    [{ REDIS_URL: 'rediss://a', REDIS_TLS_CA_FILE: folder }, 'REDIS_TLS_CA_FILE'],
    [{ REDIS_CLUSTER: 'a,b:x' }, 'REDIS_CLUSTER'],
    [{ REDIS_CLUSTER: 'a:0' }, 'REDIS_CLUSTER'],
    [{ REDIS_CLUSTER: 'a:70000' }, 'REDIS_CLUSTER'],
    [{ ...sentinels, REDIS_SENTINELS: 'a,,b' }, 'REDIS_SENTINELS'],
    [{ ...sentinels, REDIS_SENTINELS: '::1' }, 'REDIS_SENTINELS'],
    [{ REDIS_HOST: 'a', REDIS_KEY_PREFIX: '{x}' }, 'REDIS_KEY_PREFIX'],
    [{ REDIS_HOST: 'a', REDIS_KEY_PREFIX: 'x*' }, 'REDIS_KEY_PREFIX'],
    [{ REDIS_HOST: 'a', REDIS_DB: '-1' }, 'REDIS_DB'],
  ] as const) {
    const faults = faultsOf(given);
    const names = faults.map((fault) => fault.slice(0, fault.indexOf(':')));
    assert.deepEqual(names, [name], JSON.stringify([given, faults]));
  }
});

test('a list of servers that holds a password is not repeated', () => {
  for (const name of ['REDIS_SENTINELS', 'REDIS_CLUSTER']) {
    for (const value of ['redis://:hunter2@a', 'a,hunter2 hunter2', ':hunter2@a', 'a/hunter2']) {
      const faults = faultsOf({ [name]: value });
      assert.match(faults.join('\n'), new RegExp(`^${name}: `, 'm'));
      assert.doesNotMatch(faults.join(), /hunter2/);
    }
  }
});

test('the file of authorities is one of PEM', (t) => {
  const file = join(folder, 'ca.crt');
  const given = { REDIS_HOST: 'a', REDIS_TLS: 'true', REDIS_TLS_CA_FILE: file };
  writeFileSync(file, 'garbage');
  assert.match(faultsOf(given).join(), /^REDIS_TLS_CA_FILE: expected a readable PEM file/);
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    '/dev/null',
  ];
  try {
    execFileSync('openssl', ['req', '-x509', ...key, '-out', file, '-subj', '/CN=ca'], {
      stdio: 'pipe',
    });
  } catch {
    t.skip('needs openssl: apt-get install openssl');
    return;
  }
  assert.deepEqual(redisOf(given)?.tls, { ca: readFileSync(file, 'latin1') });
});
