/**
 * The only reader of the environment. One schema has names, types, bounds and defaults. All faults
 * are reported at once, each with the variable's name and the expected value. A fault repeats a
 * value only if it cannot be a secret: see config/forms.ts.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type LogLevel, logLevels } from '../telemetry/log.ts';
import { Compile, type Static, Type } from '../typebox.ts';
import { type BindConfig, bindOf } from './bind-address.ts';
import { type ConnectionBudget, connectionsMin, divideConnections } from './connection-budget.ts';
import {
  coerce,
  defaultOf,
  describeGiven,
  expectationOf,
  integer,
  isSecret,
  oneOf,
  text,
  word,
} from './forms.ts';
import { createGiven, type Given } from './given.ts';
import { headerNamesOf } from './header-names.ts';
import { databaseNames, describeLookAlike, findLookAlikes } from './look-alikes.ts';
import { originsOf } from './origins.ts';
import { checkPooler, directOf, pooledAs } from './pooler.ts';
import { type RedisConfig, redisOf } from './redis.ts';
import { rootCert, type SslMode } from './root-cert.ts';
import { fileVariable } from './secret-file.ts';
import { readSmallFile } from './small-file.ts';

export type { RedisConfig, RedisPlace, ServerAddress } from './redis.ts';
export type { SslMode } from './root-cert.ts';

/**
 * The connection to a PostgreSQL database. A `host` that starts with `/` is a Unix socket's folder.
 */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  readonly sslMode: SslMode;
  /** A PEM file of trusted authorities; `null`: Node's own. */
  readonly sslRootCert: string | null;
  /** A transaction pooler: each transaction may have another session. */
  readonly pooler?: 'transaction' | undefined;
  /** Which variables configure it, for messages; unset: those that start with DB_. */
  readonly source?: DatabaseSource | undefined;
}

export type DatabaseSource =
  | 'DB'
  | 'DB_DIRECT'
  | 'DATABASE_URL'
  | 'TEST_DB'
  | 'TEST_DATABASE_URL'
  | 'embedded';

/** How a front end collects and runs batches. */
export interface BatchingConfig {
  /** A smaller batch runs on the front end's own thread; 0: every batch goes to a worker. */
  readonly offloadMinBatch: number;
  /** The most requests in one batch, so in one statement. */
  readonly batchMax: number;
  /** The most queued requests of one kind; the next one gets 503 `overloaded`. */
  readonly queueMax: number;
  /** While the first in a queue has waited longer, new requests get 503 `overloaded`. */
  readonly queueWaitMaxMs: number;
  /** Milliseconds from a request's last byte to its response. */
  readonly requestTimeoutMs: number;
  readonly workerThreads: number;
}

export interface Config {
  readonly env: 'development' | 'test' | 'production';
  readonly port: number;
  readonly bind: BindConfig;
  /** Host and base path of the service for clients; either may be empty. */
  readonly hostBasePath: string;
  readonly logLevel: LogLevel;
  /** The port and credentials of the operators' pages: metrics and profiles. */
  readonly metrics: {
    readonly path: string;
    readonly username: string;
    readonly password: string;
    readonly port: number;
    /** Front ends record metrics; otherwise the page does not exist. */
    readonly isEnabled: boolean;
  };
  /** `null`: the embedded PostgreSQL in `dataDir`. */
  readonly database: DatabaseConfig | null;
  /** The primary's own connection, past a pooler. Default: `database`. */
  readonly directDatabase: DatabaseConfig | null;
  /** `null`: a separate embedded PostgreSQL for tests. */
  readonly testDatabase: DatabaseConfig | null;
  /** Also for the embedded one. */
  readonly testDatabaseName: string;
  readonly autoMigrate: boolean;
  /** Absolute. The folder of the embedded database and its files. */
  readonly dataDir: string;
  readonly redis: RedisConfig | null;
  /** The most bytes of lists in a front end's memory; 0: none. */
  readonly cacheBytesMax: number;
  /** Profiles are served, with the credentials of the metrics. */
  readonly pprofEnabled: boolean;
  /** The credentials are the defaults: profiles are for this machine only, without credentials. */
  readonly profilesOpenLocally: boolean;
  /** Slower requests are logged, in milliseconds; 0: none. */
  readonly slowRequestMs: number;
  /** Responses have a `Server-Timing` header. */
  readonly serverTiming: boolean;
  /** The build of uWebSockets.js to use. */
  readonly uwsBuild: 'auto' | 'current' | '2023';
  /** Origins whose pages may read responses, or `*` alone; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Further request headers that such pages may send. */
  readonly corsHeaders: readonly string[];
  readonly frontEnds: number;
  /** The PostgreSQL connections of each part; bounds `frontEnds` and `workerThreads`. */
  readonly connections: ConnectionBudget;
  /** A connection idle for this long is closed; 0: never. */
  readonly connectionIdleMs: number;
  readonly batching: BatchingConfig;
  /** How long a draining service continues to serve while not ready, in milliseconds. */
  readonly shutdownDelayMs: number;
  /** How long the stop may take after that before it is forced, in milliseconds. */
  readonly shutdownGraceMs: number;
}

/** The facts that are known even with an invalid configuration. */
interface Read {
  /** For the logger to mask, including those of faulty variables. */
  readonly secrets: readonly string[];
  /** Unknown variables with a similar name, for a warning: names only. */
  readonly lookAlikes: readonly string[];
}

export type ConfigResult =
  | (Read & { readonly ok: true; readonly config: Config })
  | (Read & { readonly ok: false; readonly faults: readonly string[] });

/**
 * Only the service opens ports, so only the service needs credentials. A tool uses the service's
 * database; tests and their tools never do.
 */
export type Purpose = 'service' | 'tool' | 'tests';

type Environment = Readonly<Record<string, string | undefined>>;

const cores = availableParallelism();
const secret = { secret: true } as const;
/** The default depends on the machine, so `.env.example` leaves it out. */
const byMachine = { byMachine: true } as const;
/**
 * Two failed checks at an interval of two seconds, and one more second for the load balancer to
 * react.
 */
const productionDelayMs = 5000;
const credentialLengthMin = 12;
const inProduction = `In production: at least ${credentialLengthMin} characters, not the default.`;
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
/** A larger file is not an env file. */
const envFileBytesMax = 1024 * 1024;
/** A URL may contain it too. */
const inUrl = { inUrl: true } as const;
const hostPattern =
  '[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?';
/** A Unix socket's path has at most 103 bytes on every system, including `/.s.PGSQL.65535`. */
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
/** Without characters that have a meaning in ACL patterns (`~prefix*`) and hash tags (`{…}`). */
const redisPrefix = {
  pattern: '^[A-Za-z0-9._:/|@+-]{0,64}$',
  expected: 'at most 64 letters, digits and . _ : / | @ + -',
} as const;

/** Every variable of the service. `.env.example` is generated from this. */
export const variables = Type.Object({
  ENV: oneOf(
    ['development', 'local', 'test', 'production'],
    'development',
    'What the service runs for: development (also written local), test or production.',
  ),
  PORT: integer(0, 65_535, 8080, 'The port of the API; 0: any free one.'),
  BIND_ADDRESS: text(
    '',
    'The addresses that PORT and METRICS_PORT are opened on, with commas between: 0.0.0.0 is every one of ' +
      'IPv4, :: every one; empty: every one in production, otherwise 127.0.0.1 and ::1.',
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
  LOGGER_LEVEL: oneOf(
    logLevels,
    'info',
    'The least level that is logged: debug, info, warn, error.',
  ),

  METRICS_PATH: Type.String({
    default: '/metrics',
    pattern: '^/[A-Za-z0-9/_.-]*$',
    expected: 'a path that begins with /',
    description: 'The path of the metrics.',
  }),
  METRICS_USERNAME: Type.String({
    default: 'admin',
    // RFC 7617: the name ends at the first colon.
    pattern: '^[^:\\x00-\\x1f\\x7f]*$',
    expected: 'a name without colon and control characters',
    description: `The user name that the metrics and profiles ask for. ${inProduction}`,
  }),
  METRICS_PASSWORD: text(
    'admin',
    `The password that the metrics and profiles ask for. ${inProduction}`,
    secret,
  ),
  METRICS_PORT: integer(
    0,
    65_535,
    9090,
    'The port of metrics and profiles, which are on PORT as well; 0: any free one.',
  ),
  METRICS_ENABLED: Type.Boolean({
    default: true,
    description: 'Count and time requests and show it under METRICS_PATH: true or false.',
  }),

  PPROF_ENABLED: Type.Optional(
    Type.Boolean({
      description:
        'Serve profiles under /debug/pprof/: true or false; empty: true except in production. Behind the ' +
        'credentials of the metrics; while those are the default ones, to this machine alone, without.',
    }),
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
  UWS_BUILD: oneOf(
    ['auto', 'current', '2023'],
    'auto',
    'Which build of uWebSockets.js serves, and so which Node make chooses: current, 2023, or auto, ' +
      'which takes the current one where the C library is new enough. make reads it from the environment.',
  ),
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

  DB_TYPE: oneOf(['postgres'], 'postgres', 'The kind of database: postgres is the only one.'),
  DATABASE_URL: text(
    '',
    'All of the following in one: postgres://user:password@host:port/name?sslmode=…&sslrootcert=…; ' +
      'what a variable of its own says must not differ.',
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
  DB_NAME: word('tasks', 'The name of the database.', inUrl),
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
  TEST_DB_NAME: word('tasks_test', 'The name of the test database.', inUrl),
  TEST_DB_SSLMODE: oneOf(
    sslModes,
    'disable',
    'As DB_SSLMODE, with the same DB_SSLROOTCERT.',
    inUrl,
  ),

  REDIS_URL: text(
    '',
    'One Redis server in one: redis://user:password@host:port/db, with TLS rediss://…; what a ' +
      'variable of its own says must not differ.',
    secret,
  ),
  REDIS_HOST: text('', 'The Redis server; empty: none.', redisHost),
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
  REDIS_TTL: integer(1, 604_800, 600, 'How long Redis keeps a list, in seconds.'),

  CACHE_MAX_BYTES: integer(
    0,
    2 ** 36,
    64 * 1024 * 1024,
    'The most that a front end keeps of lists in memory, in bytes; 0: nothing.',
  ),

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
    'How long a request may take to its answer, in milliseconds.',
  ),
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
});

type Variables = Static<typeof variables>;

const allValid = Compile(variables);
const schemas = Object.entries(variables.properties);
const secretNames = schemas.filter(([, schema]) => isSecret(schema)).map(([name]) => name);
/** Every name that is read from the environment. */
export const variableNames: readonly string[] = [
  ...schemas.map(([name]) => name),
  ...secretNames.map(fileVariable),
];
/** The defaults are public, so they are not secrets. Masking them would damage every log line. */
const defaults = new Set(schemas.map(([, schema]) => defaultOf(schema)));

/**
 * Reads `.env` in the working directory, if it exists. The process's environment takes precedence,
 * even an empty variable (`DB_HOST= make run` uses the embedded database).
 */
export function loadConfig(purpose?: Purpose): ConfigResult {
  const file = readSmallFile('.env', envFileBytesMax);
  if (file.ok) {
    return parseConfig({ ...parseEnv(file.bytes.toString('utf8')), ...process.env }, purpose);
  }
  const result = parseConfig(process.env, purpose);
  if (file.reason === 'ENOENT') return result;
  const fault = `.env: expected a readable file, got ${file.reason}`;
  const { secrets, lookAlikes } = result;
  return { ok: false, faults: [fault, ...(result.ok ? [] : result.faults)], secrets, lookAlikes };
}

/** An empty variable counts as unset. */
export function parseConfig(environment: Environment, purpose: Purpose = 'tool'): ConfigResult {
  const faults: string[] = [];
  const given = createGiven(
    environment,
    schemas.map(([name]) => name),
    secretNames,
    faults,
  );
  const values: Record<string, unknown> = {};
  for (const [name, schema] of schemas) {
    const text = given.value(name);
    const value = text === undefined ? defaultOf(schema) : coerce(schema, text);
    if (value !== undefined) values[name] = value;
  }

  if (!allValid.Check(values)) {
    // Faulty variables get their defaults, so that checks of several variables run too.
    for (const [name, schema] of schemas) {
      if (!(name in values) || Compile(schema).Check(values[name])) continue;
      const got = given.isPart(name) ? '' : `, got ${describeGiven(schema, String(values[name]))}`;
      faults.push(`${given.describe(name)}: expected ${expectationOf(schema)}${got}`);
      values[name] = defaultOf(schema);
      if (values[name] === undefined) delete values[name];
    }
  }
  if (!allValid.Check(values)) throw new Error('a default contradicts its own schema');

  const names = Object.keys(environment).filter((name) => (environment[name] ?? '') !== '');
  const lookAlikes = findLookAlikes(names, new Set(variableNames));
  const config = assemble(values, given, purpose, faults, databaseNames(names, lookAlikes));
  const read: Read = {
    secrets: given.secrets().filter((secret) => !defaults.has(secret)),
    lookAlikes: lookAlikes.map(describeLookAlike),
  };
  return config === undefined ? { ok: false, faults, ...read } : { ok: true, config, ...read };
}

/** @param misspelt names that may have been meant to configure the database. */
function assemble(
  values: Variables,
  given: Given,
  purpose: Purpose,
  faults: string[],
  misspelt: readonly string[],
): Config | undefined {
  if (purpose === 'service' && values.ENV === 'production') checkCredentials(values, faults);
  const bind = bindOf(values.BIND_ADDRESS, values.ENV === 'production', faults);
  const corsOrigins = originsOf(values.CORS_ORIGINS, faults);
  const corsHeaders = headerNamesOf(values.CORS_HEADERS, faults);
  checkEmbedded(values, given, purpose, faults, misspelt);
  const database = databaseOf(
    {
      host: values.DB_HOST,
      port: values.DB_PORT,
      user: values.DB_USER,
      password: values.DB_PASSWORD,
      name: values.DB_NAME,
      sslMode: values.DB_SSLMODE,
      ...(given.isGiven('DATABASE_URL') ? { source: 'DATABASE_URL' } : {}),
    },
    given.describe('DB_SSLMODE'),
    values.DB_SSLROOTCERT,
    faults,
  );
  checkPooler(values, faults);
  const redis = redisOf(values, given, faults);
  const testDatabase = databaseOf(
    {
      host: values.TEST_DB_HOST,
      port: values.TEST_DB_PORT,
      user: values.TEST_DB_USER,
      password: values.TEST_DB_PASSWORD,
      name: values.TEST_DB_NAME,
      sslMode: values.TEST_DB_SSLMODE,
      source: given.isGiven('TEST_DATABASE_URL') ? 'TEST_DATABASE_URL' : 'TEST_DB',
    },
    given.describe('TEST_DB_SSLMODE'),
    given.testRootCert ?? values.DB_SSLROOTCERT,
    faults,
  );
  const dataDir = absolute(values.DATA_DIR, faults);
  if (faults.length > 0) return undefined;

  const connections = divideConnections({
    connections: values.DB_CONNECTIONS,
    frontEnds: values.FRONTENDS,
    workerThreads: values.WORKER_THREADS,
  });
  const config: Config = {
    env: values.ENV === 'local' ? 'development' : values.ENV,
    port: values.PORT,
    bind,
    hostBasePath: values.HOST_BASE_PATH,
    logLevel: values.LOGGER_LEVEL,
    metrics: {
      path: values.METRICS_PATH,
      username: values.METRICS_USERNAME,
      password: values.METRICS_PASSWORD,
      port: values.METRICS_PORT,
      isEnabled: values.METRICS_ENABLED,
    },
    database: pooledAs(values.DB_POOLER, database),
    directDatabase: directOf(database, values),
    testDatabase,
    testDatabaseName: values.TEST_DB_NAME,
    autoMigrate: database === null || (values.DB_AUTO_MIGRATE ?? values.ENV !== 'production'),
    dataDir,
    redis,
    cacheBytesMax: values.CACHE_MAX_BYTES,
    pprofEnabled: values.PPROF_ENABLED ?? values.ENV !== 'production',
    profilesOpenLocally: values.ENV !== 'production' && hasDefaultCredentials(values),
    slowRequestMs: values.SLOW_REQUEST_MS,
    serverTiming: values.SERVER_TIMING,
    uwsBuild: values.UWS_BUILD,
    corsOrigins,
    corsHeaders,
    frontEnds: connections.frontEnds,
    connections,
    connectionIdleMs: values.DB_IDLE_SECONDS * 1000,
    batching: {
      offloadMinBatch: values.OFFLOAD_MIN_BATCH,
      batchMax: values.BATCH_MAX,
      queueMax: values.QUEUE_MAX,
      queueWaitMaxMs: values.QUEUE_WAIT_MAX_MS,
      requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
      workerThreads: connections.workerThreads,
    },
    shutdownDelayMs:
      values.SHUTDOWN_DELAY_MS ?? (values.ENV === 'production' ? productionDelayMs : 0),
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
  };
  return config;
}

/**
 * In production, no embedded database starts by default: after a misspelt host name, tasks would be
 * accepted and lost with the next deployment.
 */
function checkEmbedded(
  { ENV, DB_EMBEDDED, DB_HOST }: Variables,
  given: Given,
  purpose: Purpose,
  faults: string[],
  misspelt: readonly string[],
): void {
  // A faulty DB_HOST or DATABASE_URL is not a missing one.
  const isNamed = ['DB_HOST', 'DATABASE_URL'].some((name) => given.isGiven(name));
  if (DB_EMBEDDED === true && isNamed) {
    const name = given.isGiven('DATABASE_URL') ? 'DATABASE_URL' : 'DB_HOST';
    faults.push(`DB_EMBEDDED: expected false or nothing beside ${name}, got true`);
  }
  if (isNamed || DB_HOST !== '' || DB_EMBEDDED === true || purpose === 'tests') return;
  if (DB_EMBEDDED !== false && ENV !== 'production') return;
  const reason = DB_EMBEDDED === false ? 'DB_EMBEDDED=false' : 'ENV=production';
  const hint = misspelt.length === 0 ? '' : `; set, but not read: ${misspelt.join(', ')}`;
  faults.push(
    `DB_HOST: expected a PostgreSQL server with ${reason}, got none: set DB_HOST or DATABASE_URL, or ` +
      `DB_EMBEDDED=true for an embedded database, which is lost with the folder DATA_DIR${hint}`,
  );
}

/** Worker threads cannot start without a working directory, wherever DATA_DIR is. */
function absolute(folder: string, faults: string[]): string {
  try {
    return resolve(process.cwd(), folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    faults.push(
      `the working directory: expected one that is there, got ${code}: change to another`,
    );
    return folder;
  }
}

/** Default credentials are public, so they protect nothing. */
function hasDefaultCredentials(values: Variables): boolean {
  return (['METRICS_USERNAME', 'METRICS_PASSWORD'] as const).every(
    (name) => values[name] === defaultOf(variables.properties[name]),
  );
}

function checkCredentials(values: Variables, faults: string[]): void {
  for (const name of ['METRICS_USERNAME', 'METRICS_PASSWORD'] as const) {
    if (values[name].length >= credentialLengthMin) continue;
    const cause = values[name] === defaultOf(variables.properties[name]) ? 'the default' : 'less';
    faults.push(
      `${name}: expected at least ${credentialLengthMin} characters with ENV=production, got ${cause}`,
    );
  }
}

function databaseOf(
  given: Omit<DatabaseConfig, 'sslRootCert'>,
  modeName: string,
  sslRootCert: string,
  faults: string[],
): DatabaseConfig | null {
  if (given.host === '') return null;
  return { ...given, sslRootCert: rootCert(given.sslMode, modeName, sslRootCert, faults) };
}
