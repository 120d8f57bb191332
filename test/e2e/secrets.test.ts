/**
 * No secret appears in the logs, responses or visible properties of the service's processes, at the
 * most verbose level, with valid and faulty configurations.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { variableNames } from '../../src/config/load.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startRedis, withoutRedis } from '../support/redis.ts';
import { awkwardSecret, commandLinesOf, leaksIn, mark, plainSecret } from '../support/secrets.ts';
import {
  eventually,
  isAdminPortOpen,
  makeFolder,
  runToExit,
  type Service,
  startService,
} from '../support/service.ts';

const run = promisify(execFile);
const role = 'tasks role';
const secrets = {
  database: awkwardSecret('database'),
  redis: awkwardSecret('redis'),
  sentinel: awkwardSecret('sentinel'),
  metrics: awkwardSecret('metrics'),
  wrong: plainSecret('wrong'),
};
const all = Object.values(secrets);
const username = 'who-measures';
const talkative = {
  LOGGER_LEVEL: 'debug',
  ENV: 'production',
  DB_AUTO_MIGRATE: 'true',
  SHUTDOWN_DELAY_MS: '0',
  FRONTENDS: '2',
  OFFLOAD_MIN_BATCH: '0',
  PPROF_ENABLED: 'true',
  METRICS_USERNAME: username,
};

const folder = makeFolder();
let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
  await cluster.administer(
    `CREATE ROLE "${role}" LOGIN CREATEDB PASSWORD '${secrets.database.replaceAll("'", "''")}'`,
  );
  cluster.admit('host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n');
});

after(() => rmSync(folder, { recursive: true, force: true }));

function assertHushed(text: string, where: string): void {
  assert.deepEqual(leaksIn(text, all), [], `${where}: ${text.slice(0, 5000)}`);
}

function fileOf(name: string, secret: string): string {
  const file = join(folder, name);
  writeFileSync(file, `${secret}\n`);
  return file;
}

const encoded = encodeURIComponent;
const redisUser = 'tasks-user';

/** Quoted for Redis, in a command or its configuration. */
function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

/** All ways to give the same secrets. A URL names one server, so it excludes Sentinels. */
function formsOf(
  name: string,
  redisPort: number,
  sentinelPort: number,
): Record<string, Record<string, string>> {
  const server = `127.0.0.1:${cluster.port}`;
  const database = `postgres://${encoded(role)}:${encoded(secrets.database)}@${server}/${name}`;
  const redis = `redis://${redisUser}:${encoded(secrets.redis)}@127.0.0.1:${redisPort}/1`;
  const places = {
    DB_HOST: '127.0.0.1',
    DB_PORT: String(cluster.port),
    DB_USER: role,
    DB_NAME: name,
    REDIS_SENTINELS: `127.0.0.1:${sentinelPort}`,
    REDIS_MASTER_NAME: 'tasks',
    REDIS_USERNAME: redisUser,
  };
  return {
    variables: {
      ...places,
      DB_PASSWORD: secrets.database,
      REDIS_PASSWORD: secrets.redis,
      REDIS_SENTINEL_PASSWORD: secrets.sentinel,
      METRICS_PASSWORD: secrets.metrics,
    },
    files: {
      ...places,
      DB_PASSWORD_FILE: fileOf('db', secrets.database),
      REDIS_PASSWORD_FILE: fileOf('redis', secrets.redis),
      REDIS_SENTINEL_PASSWORD_FILE: fileOf('sentinel', secrets.sentinel),
      METRICS_PASSWORD_FILE: fileOf('metrics', secrets.metrics),
    },
    URLs: { DATABASE_URL: database, REDIS_URL: redis, METRICS_PASSWORD: secrets.metrics },
    'files of URLs': {
      DATABASE_URL_FILE: fileOf('db-url', database),
      REDIS_URL_FILE: fileOf('redis-url', redis),
      METRICS_PASSWORD_FILE: fileOf('metrics', secrets.metrics),
    },
  };
}

/**
 * Requests every page and kind of response. @returns all bytes including heads, and the number of
 * successes.
 */
async function visitAll(
  service: Service,
  ports: readonly number[],
  withProfiles: boolean,
): Promise<[string, number]> {
  const said: string[] = [];
  let good = 0;
  async function ask(port: number, path: string, options: RequestInit = {}): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, options);
    const head = [...answer.headers].map((pair) => pair.join(': ')).join('\n');
    said.push(`${path} ${answer.status}\n${head}\n${await answer.text()}`);
    if (answer.ok) good++;
  }
  const basic = (password: string) => ({
    Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  });
  const json = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ title: 'x' });
  await ask(service.port, '/api/tasks', { method: 'POST', body, headers: json });
  await ask(service.port, '/api/tasks', { method: 'POST', body: '{', headers: json });
  for (const path of [
    ...['/', '/api/tasks', '/api/tasks/1', '/api/tasks/x', '/api/tasks?filter=x', '/nowhere'],
    ...['/livez', '/readyz', '/healthz', '/docs', '/openapi.json', '/swagger/doc.json'],
  ]) {
    await ask(service.port, path);
  }
  const profiles = ['', 'cmdline', 'symbol', 'heap', 'goroutine', 'threadcreate', 'nothing'];
  const timed = ['profile', 'allocs', 'block', 'trace'].map((name) => `${name}?seconds=1`);
  for (const port of ports) {
    for (const path of ['/metrics', ...profiles.map((name) => `/debug/pprof/${name}`)]) {
      for (const headers of [{}, basic(secrets.wrong), basic(secrets.metrics)]) {
        await ask(port, path, { headers });
      }
    }
    // Each takes a second; the front ends' port forwards them.
    for (const name of withProfiles && port === service.port ? timed : []) {
      await ask(port, `/debug/pprof/${name}`, { headers: basic(secrets.metrics) });
    }
  }
  return [said.join('\n\n'), good];
}

async function adminPortOf({ logged }: Service): Promise<number> {
  const line = await logged(isAdminPortOpen);
  return line['port'] as number;
}

for (const form of ['variables', 'files', 'URLs', 'files of URLs']) {
  test(`given as ${form}, no secret is said, served or shown, before, during and after an outage`, {
    skip: withoutRedis(),
  }, async () => {
    const name = form.replaceAll(' ', '_').toLowerCase();
    const redis = await startRedis();
    const admit = `ACL SETUSER ${redisUser} on "${quoted(`>${secrets.redis}`)}" ~* +@all`;
    assert.equal(await redis.command(admit), '+OK');
    const file = fileOf(
      'sentinel.conf',
      `sentinel monitor tasks 127.0.0.1 ${redis.port} 1\n` +
        `sentinel down-after-milliseconds tasks 3600000\nrequirepass "${quoted(secrets.sentinel)}"`,
    );
    const sentinel = await startRedis({ file, args: ['--sentinel'] });
    const service = await startService({
      env: { ...talkative, ...formsOf(name, redis.port, sentinel.port)[form] },
    });
    const ports = [service.port, await adminPortOf(service)];
    await service.logged(({ message }) => message === 'lists are cached in Redis');
    const [answers, good] = await visitAll(service, ports, form === 'variables');
    assert.ok(good >= 20, `${good} of ${answers}`);
    assertHushed(answers, 'answers');
    assertHushed(commandLinesOf(service.pid), 'command lines');

    // Both servers reject the passwords from now on: Redis has lost the user.
    await cluster.administer(
      `ALTER ROLE "${role}" PASSWORD 'another'`,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
    );
    await redis.kill();
    await redis.start();
    await service.logged(({ message }) => message === 'the cache in Redis is away');
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${service.port}/readyz`);
      assertHushed(await answer.text(), '/readyz');
      return answer.status === 503;
    }, 'it stays ready');
    const [refused] = await visitAll(service, ports, false);
    assertHushed(refused, 'answers of an outage');
    await service.logged(({ message }) => message === 'the database is away');
    assert.ok(
      service.log.some(
        (line) => /password/.test(String(line['reason'])) || line['cause'] === '28P01',
      ),
    );
    assert.equal(await service.stop(), 0);
    assertHushed(service.output(), 'the log');
    await redis.kill();
    await sentinel.kill();
    await cluster.administer(
      `ALTER ROLE "${role}" PASSWORD '${secrets.database.replaceAll("'", "''")}'`,
    );
  });
}

const credentials = { METRICS_USERNAME: username, METRICS_PASSWORD: secrets.metrics };

test('a server that refuses, is out of reach, or is none, is spoken of without the secret', async () => {
  const { port } = cluster;
  const user = `${encoded(role)}:${secrets.wrong}`;
  const nowhere = { DB_PASSWORD: secrets.wrong, REDIS_PASSWORD: secrets.wrong };
  for (const [given, expected] of [
    [{ DATABASE_URL: `postgres://${user}@127.0.0.1:${port}/x` }, /password authentication failed/],
    [{ DATABASE_URL: `postgres://${user}@127.0.0.1:${port}/x?sslmode=require` }, /out of reach/],
    [{ DB_HOST: '127.0.0.1', DB_PORT: '1', REDIS_HOST: '127.0.0.1', ...nowhere }, /out of reach/],
    [{ DB_HOST: 'nowhere.invalid', REDIS_HOST: 'nowhere.invalid', ...nowhere }, /out of reach/],
  ] as const) {
    const env = { ...talkative, ...credentials, ...given };
    // A rejected password ends it; a server that is down may come back.
    if (expected.source.startsWith('password')) {
      const { code, output } = await runToExit({ env });
      assert.equal(code, 1);
      assert.match(output, expected);
      assertHushed(output, JSON.stringify(Object.keys(given)));
      continue;
    }
    const service = await startService({ env });
    assert.equal(await service.stop(), 0);
    assert.match(service.output(), expected);
    assertHushed(service.output(), JSON.stringify(Object.keys(given)));
  }
});

/** Values set in the wrong variable. */
const misplaced: Readonly<Record<string, string>> = {
  'a secret': secrets.wrong,
  'an awkward secret': secrets.database,
  'a URL of PostgreSQL': `postgres://me:${secrets.wrong}@db.example/tasks`,
  'a URL of Redis': `redis://:${secrets.wrong}@cache.example`,
  'a URL with an awkward password': `postgres://me:${secrets.database}@db.example/tasks`,
  'a connection string': `host=db.example password=${secrets.wrong}`,
  'a URL of the web': `https://me:${secrets.wrong}@app.example`,
};

for (const [what, value] of Object.entries(misplaced)) {
  test(`${what} in every variable at once, and in each file, is not repeated`, async () => {
    const file = fileOf('misplaced', value);
    const everywhere = Object.fromEntries(variableNames.map((name) => [name, value]));
    const inFiles = Object.fromEntries(
      variableNames.filter((name) => name.endsWith('_FILE')).map((name) => [name, file]),
    );
    const lookAlikes = { DB_HOTS: value, REDIS_SSL: value, DATABASE_URI: value };
    await assertRefused({ ...everywhere, ...lookAlikes }, /METRICS_PASSWORD_FILE/);
    await assertRefused({ ...inFiles, ...lookAlikes }, /_URL: /);
    // A single word may be a host name.
    if (!/[/@= ]/.test(value)) return;
    const programs = ['main.js', 'database/cli.js up'];
    await assertRefused(
      { DB_HOST: value, REDIS_HOST: value },
      /DB_HOST: [\s\S]*REDIS_HOST: /,
      programs,
    );
  });
}

/** Must exit with faults: the service or a command. */
async function assertRefused(
  given: Record<string, string>,
  names: RegExp,
  commands: readonly string[] = ['main.js'],
): Promise<void> {
  await Promise.all(
    commands.map(async (command) => {
      const [script, ...args] = command.split(' ');
      const file = resolve(import.meta.dirname, '../../src', script!);
      const options = { cwd: folder, env: { ...process.env, ...given }, timeout: 60_000 };
      const { code, stdout, stderr } = await run(process.execPath, [file, ...args], options).then(
        (output) => ({ code: 0, ...output }),
        (error: { code: unknown; stdout: string; stderr: string }) => error,
      );
      assert.equal(code, 1, stdout);
      assert.match(stdout, names);
      assert.equal(stderr, '');
      assertHushed(stdout, script!);
    }),
  );
}

test('.env is no other way', async () => {
  const own = makeFolder();
  writeFileSync(
    join(own, '.env'),
    `DB_HOST=postgres://me:${secrets.wrong}@h/x\nDB_HOTS=${secrets.wrong}\nPORT='${mark}\n${mark}=1\n`,
  );
  const { code, output } = await runToExit({ folder: own, env: { DATA_DIR: '' } });
  assert.equal(code, 1);
  assert.match(output, /DB_HOTS/);
  assertHushed(output, '.env');
  rmSync(own, { recursive: true });
});

const thrower = resolve(import.meta.dirname, '../support/thrower.js');

for (const [place, how, message, code] of [
  ['primary', 'error', 'a bug ended the primary', 1],
  ['front-end', 'rejection', 'a bug ended the front end', 0],
  ['thread', 'error', 'a worker thread failed', 0],
] as const) {
  test(`an uncaught ${how} of a ${place} is logged without the secret that it carries`, async () => {
    const database = await cluster.database(`uncaught_${place}_${how}`.replace('-', '_'));
    const now = join(makeFolder(), 'now');
    const url = `postgres://me:${secrets.wrong}@db.example/tasks`;
    const service = await startService({
      database,
      env: {
        ...talkative,
        ...credentials,
        FRONTENDS: '1',
        NODE_OPTIONS: `--import=${thrower}`,
        THROW_IN: place,
        THROW_HOW: how,
        THROW_WHEN: now,
        THROW_WHAT: `${url} ${secrets.metrics} ${encoded(secrets.metrics)}`,
      },
    });
    writeFileSync(now, '');
    const line = await service.logged((one) => one.message === message);
    rmSync(now);
    assert.match(String(line['error']), /^connect postgres:\/\/\*\*\*@db\.example/);
    if (place === 'primary') {
      await eventually(() => service.frontEnds().length === 0, 'a front end was left behind');
    }
    assert.equal(await service.stop(), code);
    assertHushed(service.output(), 'the log');
  });
}
