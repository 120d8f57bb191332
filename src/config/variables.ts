/**
 * Every variable that the service reads: name, type, bounds, default and what it means. `.env.example` and
 * docs/configuration.md are made of this table (`make env-example`).
 */
import { availableParallelism } from 'node:os';
import { logLevels } from '../telemetry/log.ts';
import { type Static, Type } from '../typebox.ts';
import { connectionsMin } from './connection-budget.ts';
import { integer, oneOf, text, word } from './forms.ts';

const cores = availableParallelism();
const secret = { secret: true } as const;
/** The default depends on the machine, so `.env.example` does not name it. */
const byMachine = { byMachine: true } as const;
/** Two checks two seconds apart fail, and one second for the news to travel. */
export const productionDelayMs = 5000;
export const credentialLengthMin = 12;
const inProduction = `In production: at least ${credentialLengthMin} characters, not the default.`;
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
/** A URL may say it too. */
const inUrl = { inUrl: true } as const;
const hostPattern =
  '[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?';
/** The longest path of a unix socket on every system is 103 bytes, with its name `/.s.PGSQL.65535`. */
const socketFolderPattern = '/(?!.*:/)(?!.*:.*@)[^\\x00-\\x20\\x7f]{0,87}';
const databaseHost = {
  pattern: `^(${hostPattern}|${socketFolderPattern})?$`,
  expected:
    'a host name, an address, or a socket folder that begins with /; a port and a URL have variables ' +
    'of their own (…PORT, …DATABASE_URL)',
  ...inUrl,
} as const;
const redisHost = {
  pattern: `^(${hostPattern})?$`,
  expected: 'a host name or an address; a port belongs into REDIS_PORT, a URL into REDIS_URL',
  ...inUrl,
} as const;
/** Patterns for an ACL (`~prefix*`) and the tag of a slot (`{…}`) must mean what they say. */
const redisPrefix = {
  pattern: '^[A-Za-z0-9._:/|@+-]{0,64}$',
  expected: 'at most 64 letters, digits and . _ : / | @ + -',
} as const;

const service = {
  ENV: oneOf(
    ['development', 'local', 'test', 'production'],
    'development',
    'What the service runs for: development (also written local), test or production.',
  ),
  PORT: integer(0, 65_535, 8080, 'The port of the API; 0: any free one.'),
  BIND_ADDRESS: text(
    '',
    'The addresses that PORT and METRICS_PORT are opened on, with commas between: 0.0.0.0 is every one of ' +
      'IPv4, :: every one; empty: every one in production, otherwise 127.0.0.1 and ::1. The start ends ' +
      'when this machine does not have one of them.',
  ),
  HOST_BASE_PATH: Type.String({
    default: 'localhost:8080',
    pattern:
      '^((https?://)?([A-Za-z0-9_][A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(?=/|$)|(?=/))' +
      '(/(?!\\.{1,2}(/|$))[A-Za-z0-9._~-]+)*/?$',
    expected:
      'a host, a path or both, such as api.example:8443/v1 or /v1; a path has letters, digits, ' +
      '-, ., _ and ~, and no segment that is . or ..',
    description:
      'Where clients reach the service: host, base path that a proxy takes off, or both, such as ' +
      'https://api.example/v1 or /v1. Link, Location and the documents follow it.',
  }),
  UWS_BUILD: oneOf(
    ['auto', 'current', '2023'],
    'auto',
    'Which build of uWebSockets.js serves, and so which Node make chooses: current, 2023, or auto, ' +
      'which takes the current one where the C library is new enough. make reads it from the environment.',
  ),
};

const observation = {
  LOGGER_LEVEL: oneOf(
    logLevels,
    'info',
    'The least level that is logged: debug, info, warn, error.',
  ),
  SLOW_REQUEST_MS: integer(
    0,
    600_000,
    1000,
    'A request that takes longer is logged with the times of its stages, in milliseconds; 0: none.',
  ),
  SERVER_TIMING: Type.Boolean({
    default: false,
    description: 'Say in a Server-Timing header where the time of an answer went: true or false.',
  }),
  METRICS_ENABLED: Type.Boolean({
    default: true,
    description: 'Count and time requests and show it under METRICS_PATH: true or false.',
  }),
  METRICS_PATH: Type.String({
    default: '/metrics',
    pattern: '^/[A-Za-z0-9/_.-]*$',
    expected: 'a path that begins with /',
    description: 'The path of the metrics.',
  }),
  METRICS_PORT: integer(
    0,
    65_535,
    9090,
    'The port of metrics and profiles, which are on PORT as well; 0: any free one.',
  ),
  METRICS_USERNAME: Type.String({
    default: 'admin',
    // RFC 7617: what stands before the first colon is the name.
    pattern: '^[^:\\x00-\\x1f\\x7f]*$',
    expected: 'a name without colon and control characters',
    description: `The user name that the metrics and profiles ask for. ${inProduction}`,
  }),
  METRICS_PASSWORD: text(
    'admin',
    `The password that the metrics and profiles ask for. ${inProduction}`,
    secret,
  ),
  PPROF_ENABLED: Type.Optional(
    Type.Boolean({
      description:
        'Serve profiles under /debug/pprof/: true or false; empty: true except in production. Behind the ' +
        'credentials of the metrics; while those are the default ones, to this machine alone, without.',
    }),
  ),
};

const browsers = {
  CORS_ORIGINS: text(
    '',
    'Origins whose pages may read answers, such as https://app.example, with commas between; ' +
      '* alone: every one; empty: none.',
  ),
  CORS_HEADERS: text(
    '',
    'Headers that such pages may send beside those that the service reads, such as baggage, with ' +
      'commas between.',
  ),
};

const postgres = {
  DB_TYPE: oneOf(['postgres'], 'postgres', 'The kind of database: postgres is the only one.'),
  DATABASE_URL: text(
    '',
    'All of the following in one: postgres://user:password@host:port/name?sslmode=…&sslrootcert=…; ' +
      'a DB_ variable that is also set must agree with it.',
    secret,
  ),
  DB_EMBEDDED: Type.Optional(
    Type.Boolean({
      description:
        'Run an embedded PostgreSQL in DATA_DIR: true or false; empty: where no server is named, ' +
        'except in production.',
    }),
  ),
  DB_HOST: text(
    '',
    'The PostgreSQL server, a socket folder where it begins with /; empty: embedded.',
    databaseHost,
  ),
  DB_PORT: integer(1, 65_535, 5432, 'The port of the PostgreSQL server.', inUrl),
  DB_POOLER: Type.Optional(
    Type.Unsafe<'transaction'>({
      enum: ['transaction'],
      description:
        'transaction: DB_HOST is a pooler that gives each transaction another session, such as ' +
        'PgBouncer 1.21 or newer; empty: the server itself, or a pooler of sessions.',
    }),
  ),
  DB_DIRECT_HOST: text(
    '',
    'The same server past the pooler, for migrations and upkeep; empty: DB_HOST serves for them too.',
    databaseHost,
  ),
  DB_DIRECT_PORT: integer(1, 65_535, 5432, 'The port that belongs to DB_DIRECT_HOST.'),
  DB_USER: word('postgres', 'The user of the database.', inUrl),
  DB_PASSWORD: text('', 'The password of that user.', secret),
  DB_NAME: word(
    'tasks',
    'The name of the database on a server; the embedded one is called tasks.',
    inUrl,
  ),
  DB_SSLMODE: oneOf(
    sslModes,
    'disable',
    'As libpq means it: disable, require, verify-ca or verify-full.',
    inUrl,
  ),
  DB_SSLROOTCERT: word(
    '',
    "PEM file of the trusted authorities, or system; empty: ~/.postgresql/root.crt, as libpq's.",
  ),
  DB_CONNECTIONS: integer(
    connectionsMin,
    10_000,
    24,
    'The most connections to PostgreSQL that this host may have open. Where they are too few for ' +
      'FRONTENDS and WORKER_THREADS, kinds of requests share one, then fewer are started.',
  ),
  DB_IDLE_SECONDS: integer(
    0,
    86_400,
    300,
    'A connection to PostgreSQL without work for this long is closed, in seconds; 0: none is.',
  ),
  DB_AUTO_MIGRATE: Type.Optional(
    Type.Boolean({
      description:
        'Migrate at start: true or false; empty: true except in production. Embedded: always.',
    }),
  ),
  DATA_DIR: word('.data', 'The folder of the embedded database, from the working directory.'),
};

const redis = {
  REDIS_URL: text(
    '',
    'One Redis server in one: redis://user:password@host:port/db, with TLS rediss://…; a ' +
      'REDIS_ variable that is also set must agree with it.',
    secret,
  ),
  REDIS_HOST: text(
    '',
    'The Redis server, which keeps lists for all front ends and hosts; empty: each front end keeps its own.',
    redisHost,
  ),
  REDIS_PORT: integer(1, 65_535, 6379, 'The port of the Redis server.', inUrl),
  REDIS_SENTINELS: word(
    '',
    'Redis Sentinels in place of REDIS_HOST, as host:port with commas between; default port 26379.',
  ),
  REDIS_MASTER_NAME: word('', 'What the Sentinels call the master.'),
  REDIS_SENTINEL_USERNAME: word('', 'The user (ACL) of the Sentinels; empty: their default one.'),
  REDIS_SENTINEL_PASSWORD: text('', 'The password of the Sentinels; empty: none.', secret),
  REDIS_CLUSTER: word(
    '',
    'Some nodes of a Redis Cluster in place of REDIS_HOST, as host:port with commas between; ' +
      'default port 6379.',
  ),
  REDIS_USERNAME: word('', 'The user (ACL) of Redis; empty: its default one.', inUrl),
  REDIS_PASSWORD: text('', 'The password of Redis; empty: none.', secret),
  REDIS_DB: integer(0, 1_000_000, 0, 'The number of the database; a cluster has 0 only.', inUrl),
  REDIS_TLS: Type.Boolean({
    default: false,
    description:
      'Encrypt connections to Redis and to Sentinels, and check certificates and names: true or ' +
      'false.',
    ...inUrl,
  }),
  REDIS_TLS_CA_FILE: word(
    '',
    'PEM file of the authorities that Redis is trusted for; empty: those that Node brings.',
  ),
  REDIS_KEY_PREFIX: text(
    '',
    'What every key begins with: for an ACL, or a Redis that several services share.',
    redisPrefix,
  ),
  REDIS_TTL: integer(
    1,
    604_800,
    600,
    'How long Redis keeps a list, give or take a tenth, in seconds.',
  ),
};

const capacity = {
  FRONTENDS: integer(
    1,
    256,
    Math.max(1, Math.floor(cores / 4)),
    'Front-end processes; empty: one for every four cores.',
    byMachine,
  ),
  WORKER_THREADS: integer(
    1,
    64,
    cores < 4 ? 1 : 2,
    'Worker threads of each front end; empty: 1 below four cores, otherwise 2.',
    byMachine,
  ),
  OFFLOAD_MIN_BATCH: integer(
    0,
    1024,
    cores < 4 ? 1024 : 32,
    'A smaller batch is executed where it is, without a worker thread; 0: none is. In requests; ' +
      'empty: 1024 below four cores, otherwise 32.',
    byMachine,
  ),
  BATCH_MAX: integer(1, 1024, 128, 'The most requests in one batch, so in one statement.'),
  QUEUE_MAX: integer(
    1,
    1_000_000,
    4096,
    'The most requests of one kind that wait in a front end; one more is answered 503.',
  ),
  QUEUE_WAIT_MAX_MS: integer(
    1,
    600_000,
    1000,
    'While the first of a queue has waited for longer, one more is answered 503, in milliseconds.',
  ),
  REQUEST_TIMEOUT_MS: integer(
    10,
    600_000,
    10_000,
    'How long a request may take from its last byte to its answer, in milliseconds.',
  ),
  CACHE_MAX_BYTES: integer(
    0,
    2 ** 36,
    64 * 1024 * 1024,
    'The most that a front end keeps of lists in memory, in bytes; 0: nothing.',
  ),
};

const stopping = {
  SHUTDOWN_DELAY_MS: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 600_000,
      description:
        'How long a service that is to stop serves on while /readyz says 503, so that balancers ' +
        `turn away, in milliseconds; empty: ${productionDelayMs} in production, otherwise 0.`,
    }),
  ),
  SHUTDOWN_GRACE_MS: integer(
    0,
    600_000,
    15_000,
    'How long stopping may take after that before what is left is given up, in milliseconds.',
  ),
};

const tests = {
  TEST_DATABASE_URL: text('', 'As DATABASE_URL, for the tests.', secret),
  TEST_DB_HOST: text(
    '',
    'The PostgreSQL server of the tests; empty: an embedded one of their own.',
    databaseHost,
  ),
  TEST_DB_PORT: integer(1, 65_535, 5432, 'The port of the PostgreSQL server of the tests.', inUrl),
  TEST_DB_USER: word(
    'postgres',
    'The user of the test database; must be able to create databases.',
    inUrl,
  ),
  TEST_DB_PASSWORD: text('', 'The password of that user.', secret),
  TEST_DB_NAME: word(
    'tasks_test',
    'The name of the test database, of the embedded one too.',
    inUrl,
  ),
  TEST_DB_SSLMODE: oneOf(
    sslModes,
    'disable',
    'As DB_SSLMODE, with the same DB_SSLROOTCERT.',
    inUrl,
  ),
};

/** The variables by what they are about, in the order of the documents. */
export const variableSections = {
  'The service': service,
  'Log, metrics and profiles': observation,
  Browsers: browsers,
  PostgreSQL: postgres,
  Redis: redis,
  'Processes, threads and limits': capacity,
  Stopping: stopping,
  Tests: tests,
};

export const variables = Type.Object({
  ...service,
  ...observation,
  ...browsers,
  ...postgres,
  ...redis,
  ...capacity,
  ...stopping,
  ...tests,
});

/** Their values, before they are put together. */
export type Variables = Static<typeof variables>;
