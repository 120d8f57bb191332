import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import type { Config, Purpose } from '../../src/config/config.ts';
import { loadConfig, parseConfig, variableNames } from '../../src/config/load.ts';
import { variables } from '../../src/config/variables.ts';
import { readHostBasePath } from '../../src/contract/base-path.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
const certificate = join(folder, 'root.crt');
writeFileSync(certificate, '');
const workingDirectory = process.cwd();

beforeEach(() => {
  for (const name of variableNames) delete process.env[name];
  // Without a root certificate there.
  process.env['HOME'] = folder;
});

after(() => {
  process.chdir(workingDirectory);
  rmSync(folder, { recursive: true, force: true });
});

function configOf(given: Record<string, string>): Config {
  const result = parseConfig(given);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

function faultsOf(given: Record<string, string>, purpose?: Purpose): readonly string[] {
  const result = parseConfig(given, purpose);
  assert.ok(!result.ok);
  return result.faults;
}

function faultsOfFile(): readonly string[] {
  const result = loadConfig();
  return result.ok ? [] : result.faults;
}

function namesOf(faults: readonly string[]): string[] {
  return faults.map((fault) => fault.slice(0, fault.indexOf(':')));
}

test('nothing needs to be set', () => {
  const config = configOf({});
  assert.equal(config.env, 'development');
  assert.equal(config.port, 8080);
  assert.equal(config.logLevel, 'info');
  assert.deepEqual(config.metrics, {
    path: '/metrics',
    username: 'admin',
    password: 'admin',
    port: 9090,
    isEnabled: true,
  });
  assert.equal(config.database, null);
  assert.equal(config.testDatabase, null);
  assert.equal(config.redis, null);
  assert.equal(config.dataDir, join(process.cwd(), '.data'));
});

test('an empty variable counts as unset', () => {
  const empty = Object.fromEntries(Object.keys(variables.properties).map((name) => [name, '']));
  assert.deepEqual(configOf(empty), configOf({}));
});

test('variables that are set are taken over', () => {
  const config = configOf({
    ENV: 'local',
    PORT: '1234',
    DB_HOST: 'db.example',
    DB_PORT: '6543',
    DB_USER: 'user',
    DB_PASSWORD: 'word',
    DB_NAME: 'name',
    TEST_DB_HOST: '/run/postgresql',
    REDIS_HOST: 'cache.example',
    REDIS_TTL: '60',
    OFFLOAD_MIN_BATCH: '0',
  });
  assert.equal(config.env, 'development');
  assert.equal(config.port, 1234);
  assert.deepEqual(config.database, {
    host: 'db.example',
    port: 6543,
    user: 'user',
    password: 'word',
    name: 'name',
    sslMode: 'disable',
    sslRootCert: null,
  });
  assert.equal(config.testDatabase?.host, '/run/postgresql');
  assert.equal(config.testDatabase?.name, 'tasks_test');
  assert.deepEqual(config.redis, {
    place: { form: 'server', server: { host: 'cache.example', port: 6379 } },
    username: '',
    password: '',
    db: 0,
    tls: null,
    keyPrefix: '',
    ttlSeconds: 60,
  });
  assert.equal(config.batching.offloadMinBatch, 0);
});

test('a pooler and a way past it belong to a server', () => {
  const config = configOf({
    DB_HOST: 'pooler.example',
    DB_PORT: '6432',
    DB_POOLER: 'transaction',
    DB_DIRECT_HOST: 'db.example',
    DB_PASSWORD: 'word',
  });
  assert.deepEqual(
    [config.database?.host, config.database?.port, config.database?.pooler],
    ['pooler.example', 6432, 'transaction'],
  );
  assert.deepEqual(config.directDatabase, {
    ...configOf({ DB_HOST: 'db.example', DB_PASSWORD: 'word' }).database,
    source: 'DB_DIRECT',
  });
  const pooled = configOf({ DB_HOST: 'pooler.example', DB_POOLER: 'transaction' });
  assert.deepEqual(pooled.directDatabase, pooled.database);
  assert.deepEqual(
    faultsOf({ DB_POOLER: 'transaction', DB_DIRECT_HOST: 'db.example' }).map(
      (fault) => fault.split(':')[0],
    ),
    ['DB_POOLER', 'DB_DIRECT_HOST'],
  );
  assert.match(
    faultsOf({ DB_HOST: 'x', DB_POOLER: 'session' })[0]!,
    /^DB_POOLER: expected one of transaction/,
  );
});

test('all faults are reported at once, by name, with what was expected', () => {
  const faults = faultsOf({
    ENV: 'staging',
    PORT: '70000',
    DB_TYPE: 'mysql',
    DB_AUTO_MIGRATE: 'perhaps',
    METRICS_PATH: 'metrics',
    REDIS_TTL: '1e3',
    DB_HOST: 'db.example',
    DB_SSLMODE: 'verify-full',
    DB_SSLROOTCERT: join(folder, 'missing.crt'),
    TEST_DB_HOST: 'db.example',
    TEST_DB_SSLMODE: 'prefer',
  });
  assert.deepEqual(namesOf(faults).toSorted(), [
    'DB_AUTO_MIGRATE',
    'DB_SSLROOTCERT',
    'DB_TYPE',
    'ENV',
    'METRICS_PATH',
    'PORT',
    'REDIS_TTL',
    'TEST_DB_SSLMODE',
  ]);
  assert.ok(
    faults.includes('ENV: expected one of development, local, test, production, got "staging"'),
  );
  assert.ok(faults.includes('PORT: expected an integer from 0 to 65535, got "70000"'));
  assert.ok(faults.includes('DB_TYPE: expected one of postgres, got "mysql"'));
  assert.ok(faults.includes('DB_AUTO_MIGRATE: expected true or false, got "perhaps"'));
  assert.ok(
    faults.includes(
      'METRICS_PATH: expected a path that begins with /, got a text of 7 characters that is not shown',
    ),
  );
});

test('integers are decimal and within their bounds', () => {
  for (const PORT of ['-1', '65536', '1.5', '0x10', ' 80', '8e1', '99999999999999999999', 'a']) {
    assert.deepEqual(namesOf(faultsOf({ PORT })), ['PORT'], PORT);
  }
  assert.equal(configOf({ PORT: '0', FRONTENDS: '1' }).port, 0);
  assert.equal(configOf({ PORT: '65535' }).port, 65_535);
});

test('secrets are never shown', () => {
  const secrets = {
    DB_PASSWORD: 'hunter2',
    TEST_DB_PASSWORD: 'hunter3',
    REDIS_PASSWORD: 'hunter4',
    REDIS_SENTINEL_PASSWORD: 'hunter6',
    METRICS_PASSWORD: 'hunter5',
  };
  assert.doesNotMatch(faultsOf({ ...secrets, PORT: 'x', DB_SSLMODE: 'x' }).join('\n'), /hunter/);
  for (const [name, schema] of Object.entries(variables.properties)) {
    const { secret } = schema as { secret?: boolean };
    assert.equal(secret === true, /_(PASSWORD|URL)$/.test(name), name);
  }
});

test('a service in production needs credentials of its own, and no secret is shown', () => {
  const ENV = 'production';
  const METRICS_USERNAME = 'who-measures';
  const METRICS_PASSWORD = 'hunter2-hunter2';
  const both = ['METRICS_USERNAME', 'METRICS_PASSWORD'];
  const DB_HOST = 'db.example';
  const service = (given: Record<string, string>) =>
    namesOf(faultsOf({ ENV, DB_HOST, ...given }, 'service'));
  assert.deepEqual(service({}), both);
  assert.deepEqual(service({ METRICS_USERNAME: '', METRICS_PASSWORD: '' }), both);
  assert.deepEqual(service({ METRICS_USERNAME: 'admin', METRICS_PASSWORD: 'admin' }), both);
  assert.deepEqual(service({ METRICS_USERNAME: 'elevenchars' }), both);
  assert.deepEqual(service({ METRICS_USERNAME }), ['METRICS_PASSWORD']);
  assert.deepEqual(service({ METRICS_PASSWORD }), ['METRICS_USERNAME']);
  assert.deepEqual(service({ METRICS_USERNAME, METRICS_PASSWORD: 'elevenchars' }), [
    'METRICS_PASSWORD',
  ]);
  const faults = faultsOf(
    { ENV, DB_HOST, METRICS_USERNAME: 'hunter1', METRICS_PASSWORD: 'hunter2' },
    'service',
  );
  assert.doesNotMatch(faults.join('\n'), /hunter/);
  const given = { ENV, DB_HOST, METRICS_USERNAME, METRICS_PASSWORD };
  assert.ok(parseConfig(given, 'service').ok);
  // Migrations open no ports, and development needs no secrets.
  assert.ok(parseConfig({ ENV, DB_HOST }, 'tool').ok);
  assert.ok(parseConfig({}, 'service').ok);
});

test('a user name that Basic authentication cannot carry is refused', () => {
  for (const METRICS_USERNAME of ['with:colon', 'with\nnewline', 'with\u007f']) {
    assert.deepEqual(namesOf(faultsOf({ METRICS_USERNAME })), ['METRICS_USERNAME']);
  }
});

test('the address of clients is a host, a path or both', () => {
  for (const [HOST_BASE_PATH, base] of [
    ['api.example', ''],
    ['localhost:8080/', ''],
    ['https://api.example:8443/v1/x', '/v1/x'],
    ['https://api.example/v1/', '/v1'],
    ['http://[::1]:8080/v1', '/v1'],
    ['/tasks-api', '/tasks-api'],
    ['/tasks-api/', '/tasks-api'],
    ['/~team/v1.2/...', '/~team/v1.2/...'],
    ['/', ''],
  ] as const) {
    assert.equal(configOf({ HOST_BASE_PATH }).hostBasePath, HOST_BASE_PATH);
    assert.equal(readHostBasePath(HOST_BASE_PATH).base, base, HOST_BASE_PATH);
  }
  for (const HOST_BASE_PATH of [
    'ftp://x',
    'a b',
    "x; script-src 'unsafe-inline'",
    'x\r\ny',
    '{host}',
    'x//y',
    'x?y',
    'x:123456',
    'user:word@x/v1',
    '//x',
    '//x/v1',
    'https://',
    'https:///v1',
    '../v1',
    '/..',
    '/v1/../v2',
    'x/v1/..',
    '/./v1',
    '/v1?x=y',
    '/v1#x',
    '/a b',
    '/a%20b',
    '/"><script>',
    '/v1>; rel="next"',
    '/v1//',
    '\\v1',
    '/vé',
  ]) {
    assert.deepEqual(namesOf(faultsOf({ HOST_BASE_PATH })), ['HOST_BASE_PATH'], HOST_BASE_PATH);
  }
});

test('the ports are for this machine without BIND_ADDRESS, in production for every one', () => {
  const here = { addresses: ['127.0.0.1', '::1'], isDefault: true };
  for (const ENV of ['development', 'local', 'test']) {
    assert.deepEqual(configOf({ ENV }).bind, here, ENV);
  }
  assert.deepEqual(configOf({ ENV: 'production', DB_HOST: 'db.example' }).bind, {
    addresses: ['0.0.0.0', '::'],
    isDefault: true,
  });
});

test('BIND_ADDRESS is a list of addresses, each once, and none that another one covers', () => {
  for (const [BIND_ADDRESS, addresses] of [
    ['127.0.0.1', ['127.0.0.1']],
    ['10.0.0.5, ::1', ['10.0.0.5', '::1']],
    ['0:0:0:0:0:0:0:1,::1,::0001', ['::1']],
    ['FD00::A', ['fd00::a']],
    ['::ffff:127.0.0.1,127.0.0.1', ['127.0.0.1']],
    ['::ffff:0.0.0.0', ['0.0.0.0']],
    ['fe80::1%eth0', ['fe80::1%eth0']],
    ['0.0.0.0,127.0.0.1,::1', ['0.0.0.0', '::1']],
    ['::,0.0.0.0', ['::']],
    ['::1,::', ['::']],
    ['0::0', ['::']],
  ] as const) {
    assert.deepEqual(configOf({ BIND_ADDRESS }).bind, { addresses, isDefault: false });
  }
  for (const BIND_ADDRESS of [
    'localhost',
    '*',
    'all',
    'eth0',
    '[::1]',
    '127.0.0.1:8080',
    '127.0.0.1;::1',
    '127.0.0.1 ::1',
    '127.1',
    '0x7f000001',
    '127.0.0.1/8',
    '256.0.0.1',
    ',',
    '127.0.0.1,',
    ' ',
    'hunter2-hunter2',
  ]) {
    const faults = faultsOf({ BIND_ADDRESS });
    assert.deepEqual(namesOf(faults), ['BIND_ADDRESS'], BIND_ADDRESS);
    assert.doesNotMatch(faults[0]!, /hunter2/);
  }
});

test('profiles are on but in production, and PPROF_ENABLED decides', () => {
  const production = { ENV: 'production', DB_HOST: 'db.example' };
  assert.deepEqual(
    [{}, { ENV: 'test' }, production].map((given) => configOf(given).pprofEnabled),
    [true, true, false],
  );
  assert.equal(configOf({ ...production, PPROF_ENABLED: 'true' }).pprofEnabled, true);
  assert.equal(configOf({ PPROF_ENABLED: 'false' }).pprofEnabled, false);
  assert.equal(configOf({}).profilesOpenLocally, true);
  assert.equal(configOf({ METRICS_PASSWORD: 'hunter2' }).profilesOpenLocally, false);
  assert.equal(configOf(production).profilesOpenLocally, false);
});

test('CORS_HEADERS is a list of names, and no wildcard', () => {
  assert.deepEqual(configOf({}).corsHeaders, []);
  assert.deepEqual(configOf({ CORS_HEADERS: 'baggage, X-Team,x-team' }).corsHeaders.length, 2);
  for (const CORS_HEADERS of [
    '*',
    'baggage,*',
    'X Team',
    'X-Team:',
    'X-Team\r\nSet-Cookie',
    'Größe',
    '"X"',
    'a,,b',
    'a,',
    ' ',
    'a;b',
    'a(b)',
  ]) {
    assert.deepEqual(namesOf(faultsOf({ CORS_HEADERS })), ['CORS_HEADERS'], CORS_HEADERS);
  }
});

test('origins are checked one by one, and * stands alone', () => {
  const CORS_ORIGINS = 'https://app.example, http://localhost:3000,http://[::1]:8080';
  assert.deepEqual(configOf({ CORS_ORIGINS }).corsOrigins, [
    'https://app.example',
    'http://localhost:3000',
    'http://[::1]:8080',
  ]);
  assert.deepEqual(configOf({ CORS_ORIGINS: '*' }).corsOrigins, ['*']);
  assert.deepEqual(configOf({}).corsOrigins, []);
  assert.deepEqual(configOf({ CORS_ORIGINS: 'app://x' }).corsOrigins, ['app://x']);
  for (const origin of [
    'https://app.example/',
    'https://app.example/path',
    'https://APP.example',
    'https://app.example:443',
    'http://app.example:80',
    'https://app.example:99999',
    'https://user@app.example',
    'https://*.example',
    'https://app.example\r\nX: y',
    'https://a b',
    'app.example',
    'null',
    'https://',
    '*,https://app.example',
    'https://app.example,',
  ]) {
    assert.deepEqual(namesOf(faultsOf({ CORS_ORIGINS: origin })), ['CORS_ORIGINS'], origin);
  }
});

test('a service that is to stop serves on for a while in production', () => {
  assert.equal(configOf({}).shutdownDelayMs, 0);
  const production = { ENV: 'production', DB_HOST: 'db.example' };
  assert.equal(configOf(production).shutdownDelayMs, 5000);
  assert.equal(configOf({ ...production, SHUTDOWN_DELAY_MS: '0' }).shutdownDelayMs, 0);
  assert.deepEqual(namesOf(faultsOf({ SHUTDOWN_DELAY_MS: '-1' })), ['SHUTDOWN_DELAY_MS']);
});

test('migrations run at start, except in production on a server of somebody else', () => {
  const DB_HOST = 'db.example';
  assert.equal(configOf({ DB_HOST }).autoMigrate, true);
  assert.equal(configOf({ DB_HOST, ENV: 'test' }).autoMigrate, true);
  assert.equal(configOf({ DB_HOST, ENV: 'production' }).autoMigrate, false);
  assert.equal(configOf({ DB_HOST, ENV: 'production', DB_AUTO_MIGRATE: '1' }).autoMigrate, true);
  assert.equal(configOf({ DB_HOST, DB_AUTO_MIGRATE: 'FALSE' }).autoMigrate, false);
  assert.equal(configOf({ ENV: 'production', DB_EMBEDDED: 'true' }).autoMigrate, true);
  assert.equal(configOf({ DB_AUTO_MIGRATE: 'false' }).autoMigrate, true);
});

test('the verifying modes need a root certificate, as in libpq', () => {
  const DB_HOST = 'db.example';
  for (const DB_SSLMODE of ['verify-ca', 'verify-full']) {
    assert.deepEqual(namesOf(faultsOf({ DB_HOST, DB_SSLMODE })), ['DB_SSLROOTCERT']);
    assert.equal(
      configOf({ DB_HOST, DB_SSLMODE, DB_SSLROOTCERT: certificate }).database?.sslRootCert,
      certificate,
    );
  }
  assert.equal(configOf({ DB_HOST, DB_SSLMODE: 'require' }).database?.sslRootCert, null);
  const missing = { DB_SSLMODE: 'require', DB_SSLROOTCERT: join(folder, 'missing.crt') };
  assert.deepEqual(namesOf(faultsOf({ DB_HOST, ...missing })), ['DB_SSLROOTCERT']);
  // Unused variables may be missing.
  assert.ok(parseConfig(missing).ok);
  assert.ok(parseConfig({ ...missing, DB_HOST, DB_SSLMODE: 'disable' }).ok);
});

test('the root certificate of the home directory is found, as in libpq', () => {
  const file = join(folder, '.postgresql', 'root.crt');
  mkdirSync(join(folder, '.postgresql'));
  writeFileSync(file, '');
  try {
    for (const DB_SSLMODE of ['require', 'verify-ca', 'verify-full']) {
      assert.equal(configOf({ DB_HOST: 'db.example', DB_SSLMODE }).database?.sslRootCert, file);
    }
  } finally {
    rmSync(join(folder, '.postgresql'), { recursive: true });
  }
});

test("the platform's authorities are trusted with verify-full only, as in libpq", () => {
  const given = { DB_HOST: 'db.example', DB_SSLROOTCERT: 'system' };
  assert.equal(configOf({ ...given, DB_SSLMODE: 'verify-full' }).database?.sslRootCert, null);
  for (const DB_SSLMODE of ['require', 'verify-ca']) {
    assert.deepEqual(namesOf(faultsOf({ ...given, DB_SSLMODE })), ['DB_SSLMODE']);
  }
});

test('.env is read from the working directory, and the environment wins over it', () => {
  process.chdir(mkdtempSync(join(folder, 'env-')));
  writeFileSync('.env', 'PORT=1111\r\nDB_HOST="from.file"\r\n# PORT=1\r\nLOGGER_LEVEL=warn\r\n');
  process.env['PORT'] = '2222';
  let result = loadConfig();
  assert.ok(result.ok);
  assert.equal(result.config.port, 2222);
  assert.equal(result.config.database?.host, 'from.file');
  assert.equal(result.config.logLevel, 'warn');

  process.env['DB_HOST'] = '';
  result = loadConfig();
  assert.ok(result.ok);
  assert.equal(result.config.database, null);
});

test('the environment is enough without .env, and one that cannot be read is a fault', () => {
  process.chdir(mkdtempSync(join(folder, 'env-')));
  assert.ok(loadConfig().ok);
  mkdirSync('.env');
  assert.deepEqual(faultsOfFile(), ['.env: expected a readable file, got EISDIR']);
  rmSync('.env', { recursive: true });
  writeFileSync('.env', 'PORT=1\n'.repeat(200_000));
  assert.deepEqual(faultsOfFile(), ['.env: expected a readable file, got more than 1048576 bytes']);
  rmSync('.env');
  // A pipe without a writer.
  execFileSync('mkfifo', ['.env']);
  assert.deepEqual(faultsOfFile(), ['.env: expected a readable file, got not a regular file']);
});

const slips = ['DB_HOTS', 'DBHOST', 'db_host', 'DB_HOSTNAME', 'DATABASE_URI', 'DATABASEURL'];

test('nothing embedded starts in production unless that is written', () => {
  const production = { ENV: 'production' };
  for (const purpose of ['service', 'tool'] as const) {
    const credentials = { METRICS_USERNAME: 'who-measures', METRICS_PASSWORD: 'hunter2-hunter2' };
    const faults = (given: Record<string, string>) => {
      const result = parseConfig({ ...production, ...credentials, ...given }, purpose);
      return result.ok ? [] : result.faults;
    };
    const [missing] = faults({});
    assert.match(
      missing!,
      /^DB_HOST: .*ENV=production.* DB_HOST or DATABASE_URL.*DB_EMBEDDED=true/,
    );
    assert.deepEqual(namesOf(faults({ DB_HOST: '', DATABASE_URL: '' })), ['DB_HOST']);
    assert.deepEqual(namesOf(faults({ DB_EMBEDDED: 'false' })), ['DB_HOST']);
    for (const slip of [...slips, 'PGHOST', 'POSTGRES_URL']) {
      const [fault, ...more] = faults({ [slip]: 'hunter3' });
      assert.deepEqual(more, []);
      assert.match(fault!, new RegExp(`^DB_HOST: .*not read: ${slip}$`));
    }
    assert.deepEqual(faults({ DB_EMBEDDED: 'true' }), []);
    assert.deepEqual(faults({ DB_HOST: 'db.example' }), []);
    assert.deepEqual(faults({ DATABASE_URL: 'postgres://db.example' }), []);
    // One fault for one error.
    assert.deepEqual(namesOf(faults({ DB_HOST: 'a b' })), ['DB_HOST']);
    assert.deepEqual(namesOf(faults({ DATABASE_URL: 'mysql://x' })), ['DATABASE_URL']);
  }
  assert.ok(parseConfig(production, 'tests').ok);
});

test('an embedded database and a server contradict each other', () => {
  for (const server of [{ DB_HOST: 'db.example' }, { DATABASE_URL: 'postgres://db.example' }]) {
    for (const ENV of ['development', 'production']) {
      assert.deepEqual(namesOf(faultsOf({ ENV, ...server, DB_EMBEDDED: 'true' })), ['DB_EMBEDDED']);
      assert.ok(configOf({ ENV, ...server, DB_EMBEDDED: 'false' }).database !== null);
    }
  }
  assert.deepEqual(namesOf(faultsOf({ DB_EMBEDDED: 'false' })), ['DB_HOST']);
  assert.equal(configOf({ DB_EMBEDDED: 'true' }).database, null);
});

test('variables that look like ours are named, without their values', () => {
  const looking = [...slips, 'REDIS_SSL', 'METRICS_PASWORD', 'TEST_DB_SOCKET', 'FRONTEND', 'POTR'];
  const { lookAlikes } = parseConfig(Object.fromEntries(looking.map((name) => [name, 'hunter2'])));
  assert.deepEqual(
    lookAlikes.map((line) => line.replace(/ .*/, '')),
    looking,
  );
  assert.deepEqual(lookAlikes[0], 'DB_HOTS (DB_HOST?)');
  assert.doesNotMatch(lookAlikes.join(), /hunter/);
  const others = [
    ...variableNames,
    // Set by a shell, by Node, by Kubernetes for services, or by another program.
    ...['HOST', 'HOME', 'TERM', 'PWD', 'NODE_ENV', 'LANG', 'PATH', 'SHELL', 'USER', 'TZ'],
    ...['REDIS_SERVICE_HOST', 'REDIS_PORT_6379_TCP_ADDR', 'DB_PORT_5432_TCP', 'DB_SERVICE_PORT_PG'],
    ...['GRAFANA_PASSWORD', 'HOSTNAME', 'NODE_OPTIONS', 'PGHOST'],
  ];
  assert.deepEqual(
    parseConfig(Object.fromEntries(others.map((name) => [name, '1']))).lookAlikes,
    [],
  );
  assert.deepEqual(parseConfig({ DB_HOTS: '' }).lookAlikes, []);
});

test('a URL, or what else holds a password, is refused where a host belongs, and not repeated', () => {
  const secret = 'hunter2hunter2';
  for (const value of [
    `postgres://user:${secret}@db.example/tasks`,
    `redis://:${secret}@cache.example`,
    `//user:${secret}@db.example`,
    `/run/x://user:${secret}@db.example`,
    `user:${secret}@db.example`,
    `host=db.example password=${secret}`,
    `db.example/${secret}`,
    `db.example ${secret}`,
    `db.example?password=${secret}`,
  ]) {
    for (const name of ['DB_HOST', 'TEST_DB_HOST', 'REDIS_HOST']) {
      const faults = faultsOf({ [name]: value });
      assert.deepEqual(namesOf(faults), [name], value);
      assert.match(faults[0]!, /_URL/);
      assert.ok(!faults[0]!.includes(secret), faults[0]);
    }
  }
  const hosts = [
    'db',
    'db.example',
    'db_1',
    '10.0.0.1',
    '::1',
    'fe80::1%eth0',
    'xn--bcher-kva.example',
  ];
  for (const host of hosts) {
    assert.equal(configOf({ DB_HOST: host }).database?.host, host);
    const place = { form: 'server', server: { host, port: 6379 } };
    assert.deepEqual(configOf({ REDIS_HOST: host }).redis?.place, place);
  }
  assert.equal(configOf({ DB_HOST: '/run/postgresql' }).database?.host, '/run/postgresql');
  // The path of the socket would be too long.
  assert.deepEqual(namesOf(faultsOf({ DB_HOST: `/${'x'.repeat(90)}` })), ['DB_HOST']);
});

test('no fault repeats what may be a secret in the wrong place', () => {
  const secret = 'S3cr3t-Wort';
  const wrong = [
    secret,
    `postgres://user:${secret}@db.example/tasks`,
    `https://user:${secret}@app.example/`,
    `\u0007${secret}`,
    `user:${secret}@x y`,
    secret.repeat(200),
  ];
  for (const name of variableNames) {
    for (const value of wrong) {
      for (const purpose of ['service', 'tool'] as const) {
        for (const ENV of ['development', 'production']) {
          const result = parseConfig({ ENV, [name]: value }, purpose);
          const said = JSON.stringify([result.ok ? [] : result.faults, result.lookAlikes]);
          assert.ok(!said.includes(secret), `${name}: ${said}`);
        }
      }
    }
  }
});
