import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { envExample } from '../support/env-example.ts';

function configOf(given: Record<string, string>): Config {
  const result = parseConfig(given);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

function faultsOf(given: Record<string, string>): readonly string[] {
  const result = parseConfig(given);
  assert.ok(!result.ok, JSON.stringify(given));
  return result.faults;
}

const plain = { password: '', port: 5432, user: 'postgres', sslMode: 'disable', sslRootCert: null };

const databases: readonly (readonly [url: string, expected: object])[] = [
  ['postgres://db.example', { host: 'db.example', name: 'tasks' }],
  ['postgresql://db.example/', { host: 'db.example', name: 'tasks' }],
  ['POSTGRES://db.example/x', { host: 'db.example', name: 'x' }],
  [
    'postgres://me:word@db.example:6543/mine?sslmode=require',
    {
      host: 'db.example',
      port: 6543,
      user: 'me',
      password: 'word',
      name: 'mine',
      sslMode: 'require',
    },
  ],
  [
    'postgres://m%40e:%3A%2F%3F%23%40%25%C3%A9@db.example/a%20b',
    { host: 'db.example', user: 'm@e', password: ':/?#@%é', name: 'a b' },
  ],
  ['postgres://me:a:b@h', { host: 'h', user: 'me', password: 'a:b', name: 'tasks' }],
  ['postgres://[2001:db8::1]:6543/x', { host: '2001:db8::1', port: 6543, name: 'x' }],
  ['postgres://[::1]', { host: '::1', name: 'tasks' }],
  ['postgres://%2Frun%2Fpostgresql/x', { host: '/run/postgresql', name: 'x' }],
  ['postgres:///x?host=/run/postgresql', { host: '/run/postgresql', name: 'x' }],
  [
    'postgres://me:word@/x?host=/run/postgresql&port=6543',
    { host: '/run/postgresql', port: 6543, user: 'me', password: 'word', name: 'x' },
  ],
  [
    'postgres://?host=h&user=u&password=p&dbname=d',
    { host: 'h', user: 'u', password: 'p', name: 'd' },
  ],
];

for (const [variable, key, name] of [
  ['DATABASE_URL', 'database', 'tasks'],
  ['TEST_DATABASE_URL', 'testDatabase', 'tasks_test'],
] as const) {
  test(`${variable} is understood`, () => {
    for (const [url, expected] of databases) {
      const read = configOf({ [variable]: url })[key];
      const fallback = 'name' in expected && expected.name === 'tasks' ? { name } : {};
      assert.deepEqual(read, { ...plain, ...expected, ...fallback, source: variable }, url);
    }
  });
}

test('a URL that cannot be used is refused, and the fault names what is wrong', () => {
  for (const [DATABASE_URL, expected] of [
    ['mysql://h/x', /postgres:\/\/ or postgresql:\/\//],
    ['db.example', /postgres:\/\//],
    ['postgres:h', /postgres:\/\//],
    ['postgres://', /a host/],
    ['postgres:///x', /a host/],
    ['postgres://a,b/x', /one host/],
    ['postgres://a:1,b:2/x', /one host/],
    ['postgres:///x?host=/a,/b', /one host/],
    ['postgres://h/x?sslmode=prefer', /its sslmode: expected one of/],
    ['postgres://h/x?sslmode=verify-full', /DB_SSLROOTCERT/],
    ['postgres://h/x?application_name=y', /the parameter application_name/],
    ['postgres://h/x?a=1&b=2', /the parameter a/],
    ['postgres://h/x?host=other', /each part once/],
    ['postgres://h/x?dbname=y', /each part once/],
    ['postgres://h/x?%zz=1', /percent-encoding/],
    ['postgres://u:%zz@h/x', /percent-encoding/],
    ['postgres://h:0/x', /its port: expected/],
    ['postgres://h:port/x', /its port: expected/],
    ['postgres://h:99999/x', /its port: expected/],
    ['postgres://[::1/x', /%40/],
    ['postgres://u:p@h@i/x', /%40/],
    ['postgres://h/x#y', /%23/],
    [' postgres://h/x', /spaces/],
    ['postgres://h/x\n', /spaces/],
    ['postgres://u:%00@h/x', /its password: expected/],
    ['postgres://a b/x', /spaces/],
    ['postgres://h/a%0Ab', /its database: expected/],
  ] as const) {
    const text = faultsOf({ DATABASE_URL }).join('\n');
    assert.match(text, expected, DATABASE_URL);
    assert.match(text, /DATABASE_URL/, DATABASE_URL);
    const inTests = faultsOf({ TEST_DATABASE_URL: DATABASE_URL }).join('\n');
    assert.match(inTests, /TEST_DATABASE_URL/, DATABASE_URL);
  }
});

test('a password that was not encoded is no part of a fault, however it falls apart', () => {
  for (const sign of [
    '/',
    '?',
    '#',
    '@',
    ':',
    '%',
    '&',
    '=',
    ' ',
    '[',
    ']',
    ',',
    '\\',
    '?a=',
    '/1?',
  ]) {
    for (const before of ['Zq7', '123', '']) {
      for (const scheme of ['postgres', 'redis']) {
        const variable = scheme === 'redis' ? 'REDIS_URL' : 'DATABASE_URL';
        const result = parseConfig({
          [variable]: `${scheme}://user:${before}${sign}hunter2@db.example:1234/x`,
        });
        const said = JSON.stringify(result.ok ? [] : result.faults);
        assert.doesNotMatch(said, /hunter2|Zq7|123/, sign);
      }
    }
  }
});

test('a variable of its own wins where it says the same, or the URL says nothing', () => {
  const DATABASE_URL = 'postgres://me@DB.example/mine';
  assert.deepEqual(
    configOf({ DATABASE_URL, DB_HOST: 'db.example', DB_PASSWORD: 'word', DB_PORT: '6543' })
      .database,
    {
      ...plain,
      host: 'db.example',
      user: 'me',
      password: 'word',
      port: 6543,
      name: 'mine',
      source: 'DATABASE_URL',
    },
  );
  const empty = { DB_HOST: '', DB_USER: '', DB_NAME: '' };
  assert.equal(configOf({ DATABASE_URL, ...empty }).database?.name, 'mine');
  assert.equal(
    configOf({ REDIS_URL: 'redis://c', REDIS_PASSWORD: 'word' }).redis?.password,
    'word',
  );
});

test('a contradiction names both variables and neither value', () => {
  const url = 'postgres://me:hunter1@db.example:6543/mine?sslmode=require';
  for (const [name, value] of [
    ['DB_HOST', 'hunter2.example'],
    ['DB_PORT', '5432'],
    ['DB_USER', 'hunter2'],
    ['DB_PASSWORD', 'hunter2'],
    ['DB_NAME', 'hunter2'],
    ['DB_SSLMODE', 'disable'],
  ] as const) {
    for (const prefix of ['', 'TEST_']) {
      const faults = faultsOf({ [`${prefix}DATABASE_URL`]: url, [`${prefix}${name}`]: value });
      assert.equal(faults.length, 1);
      assert.ok(faults[0]!.startsWith(`${prefix}${name}: `), faults[0]);
      assert.ok(faults[0]!.includes(` ${prefix}DATABASE_URL `), faults[0]);
      assert.doesNotMatch(faults[0]!, /hunter|6543|5432|example|require/);
    }
  }
  const REDIS_URL = 'rediss://me:hunter1@cache.example:6380/2';
  for (const [name, value] of [
    ['REDIS_HOST', 'other.example'],
    ['REDIS_PORT', '6379'],
    ['REDIS_USERNAME', 'hunter2'],
    ['REDIS_PASSWORD', 'hunter2'],
    ['REDIS_DB', '0'],
    ['REDIS_TLS', 'false'],
  ] as const) {
    const faults = faultsOf({ REDIS_URL, [name]: value });
    assert.match(faults.join(), new RegExp(`^${name}: .* REDIS_URL `));
    assert.doesNotMatch(faults.join(), /hunter|6380|6379|example/);
  }
  assert.match(faultsOf({ REDIS_URL: 'redis://h', REDIS_TLS: 'true' }).join(), /^REDIS_TLS: /);
  assert.ok(parseConfig({ REDIS_URL, REDIS_TLS: '1', REDIS_DB: '02' }).ok);
  assert.match(
    faultsOf({ TEST_DATABASE_URL: 'postgres://h?sslrootcert=/a', DB_SSLROOTCERT: '/b' }).join(),
    /^DB_SSLROOTCERT: .* TEST_DATABASE_URL /,
  );
});

test('REDIS_URL is understood, and what it asks for and is not there is refused', () => {
  const redis = {
    username: '',
    password: '',
    db: 0,
    tls: null,
    keyPrefix: '',
    ttlSeconds: 600,
  };
  for (const [url, expected] of [
    ['redis://cache.example', {}],
    ['redis://cache.example/', {}],
    ['redis://cache.example/0', {}],
    ['redis://cache.example/7', { db: 7 }],
    ['redis://cache.example:6380', { port: 6380 }],
    ['redis://:w%40rd@cache.example', { password: 'w@rd' }],
    ['redis://default:word@cache.example', { username: 'default', password: 'word' }],
    ['redis://m%40:w%3Ard@cache.example', { username: 'm@', password: 'w:rd' }],
    ['redis://[::1]:6380', { host: '::1', port: 6380 }],
    ['rediss://cache.example', { tls: { ca: null } }],
    [
      'REDISS://me:word@cache.example:6380/3',
      { port: 6380, username: 'me', password: 'word', db: 3, tls: { ca: null } },
    ],
  ] as const) {
    const { host, port, ...others } = { host: 'cache.example', port: 6379, ...expected };
    const place = { form: 'server', server: { host, port } };
    assert.deepEqual(configOf({ REDIS_URL: url }).redis, { ...redis, place, ...others }, url);
  }
  for (const [REDIS_URL, expected] of [
    ['redis://me@h', /its user: expected a password/],
    ['redis://h/name', /the number of a database/],
    ['redis://h/-1', /the number of a database/],
    ['redis://h/12345678', /its database: expected an integer/],
    ['redis://h?db=1', /no parameters, got the parameter db/],
    ['redis://', /a host/],
    ['redis://%2Frun%2Fredis.sock', /its host: expected/],
    ['redis://a,b', /one host/],
    ['unix:///run/redis.sock', /redis:\/\//],
    ['http://h', /redis:\/\//],
  ] as const) {
    const faults = faultsOf({ REDIS_URL });
    assert.equal(faults.length, 1, REDIS_URL);
    assert.match(faults[0]!, /^REDIS_URL: /);
    assert.match(faults[0]!, expected);
  }
});

test('.env.example goes with a URL', () => {
  const pairs = envExample()
    .split('\n')
    .filter((line) => /^[A-Z_]+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  const urls = {
    DATABASE_URL: 'postgres://me:word@db.example:6543/mine?sslmode=require',
    TEST_DATABASE_URL: 'postgres://me:word@db.example:6543/mine',
    REDIS_URL: 'redis://:word@cache.example:6380',
  };
  const config = configOf({ ...Object.fromEntries(pairs), ...urls });
  assert.equal(config.database?.port, 6543);
  assert.deepEqual(config.redis?.place, {
    form: 'server',
    server: { host: 'cache.example', port: 6380 },
  });
});
