/**
 * The only reader of the environment. One schema says names, types, bounds and defaults; every
 * fault is reported at once, by name, with what was expected; a secret's value is never shown.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type LogLevel, logLevels } from './telemetry/log.ts';

export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** How to reach one PostgreSQL database. `host` that begins with `/` is a unix socket directory. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  readonly sslMode: SslMode;
  /** PEM file of the trusted authorities; `null`: those that Node brings. */
  readonly sslRootCert: string | null;
  /** What stands there gives each transaction another session. */
  readonly pooler?: 'transaction' | undefined;
}

export interface RedisConfig {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly ttlSeconds: number;
}

/** How one front end gathers and executes work. */
export interface BatchingConfig {
  /** A smaller batch is executed on the front end's own thread; 0: every batch is offloaded. */
  readonly offloadMinBatch: number;
  /** The most requests in one batch, so in one statement. */
  readonly batchMax: number;
  /** The most requests of one kind that wait; one more is answered 503 `overloaded`. */
  readonly queueMax: number;
  /** While the first of a queue has waited for longer, one more is answered 503 `overloaded`. */
  readonly queueWaitMaxMs: number;
  /** How long a request may take from its last byte to its answer, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly workerThreads: number;
}

export interface Config {
  readonly env: 'development' | 'test' | 'production';
  readonly port: number;
  /** Host and base path under which clients reach the service; for documents only. */
  readonly hostBasePath: string;
  readonly logLevel: LogLevel;
  /** What asks for them: metrics and profiles. */
  readonly metrics: {
    readonly path: string;
    readonly username: string;
    readonly password: string;
    readonly port: number;
    /** Front ends count; otherwise there is no such page. */
    readonly isEnabled: boolean;
  };
  /** `null`: the embedded PostgreSQL in `dataDir`. */
  readonly database: DatabaseConfig | null;
  /** Past a pooler: for what the primary does by itself. The same as `database` where none is named. */
  readonly directDatabase: DatabaseConfig | null;
  /** `null`: an embedded PostgreSQL of the tests' own. */
  readonly testDatabase: DatabaseConfig | null;
  readonly autoMigrate: boolean;
  /** Absolute. Holds the embedded database and what belongs to it. */
  readonly dataDir: string;
  readonly redis: RedisConfig | null;
  /** Bytes of lists that a front end keeps in memory; 0: none. */
  readonly cacheBytesMax: number;
  /** Profiles are served, behind the credentials of the metrics. */
  readonly pprofEnabled: boolean;
  /** On this machine they need no credentials. */
  readonly profilesOpenLocally: boolean;
  /** A request that takes longer is logged, in milliseconds; 0: none. */
  readonly slowRequestMs: number;
  /** Answers say in `Server-Timing` where their time went. */
  readonly serverTiming: boolean;
  /** Origins whose pages may read answers, or `*` alone; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  readonly frontEnds: number;
  readonly batching: BatchingConfig;
  /** How long a service that is to stop serves on, not ready, in milliseconds. */
  readonly shutdownDelayMs: number;
  /** How long stopping may take after that before what is left is given up, in milliseconds. */
  readonly shutdownGraceMs: number;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Migrations and tests open nothing to anybody: only a service needs credentials of its own. */
export type Purpose = 'service' | 'tool';

type Environment = Readonly<Record<string, string | undefined>>;

const cores = availableParallelism();
const secret = { secret: true } as const;
/** The default depends on the machine, so `.env.example` does not name it. */
const byMachine = { byMachine: true } as const;
/** Two checks two seconds apart fail, and one second for the news to travel. */
const productionDelayMs = 5000;
const credentialLengthMin = 12;
const inProduction = `In production: at least ${credentialLengthMin} characters, not the default.`;
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

/** Every variable that the service reads. `.env.example` is written from this. */
export const variables = Type.Object({
  ENV: oneOf(
    ['development', 'local', 'test', 'production'],
    'development',
    'What the service runs for: development (also written local), test or production.',
  ),
  PORT: integer(0, 65_535, 8080, 'The port of the API; 0: any free one.'),
  HOST_BASE_PATH: Type.String({
    default: 'localhost:8080',
    pattern: '^(https?://)?[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$',
    expected: 'a host, perhaps with a port and a path, such as api.example:8443/v1',
    description: 'Host and base path under which clients reach the service; for documents only.',
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

  PPROF_ENABLED: Type.Boolean({
    default: false,
    description:
      'Serve profiles under /debug/pprof/, behind the credentials of the metrics: true or false.',
  }),
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
  CORS_ORIGINS: text(
    '',
    'Origins whose pages may read answers, such as https://app.example, with commas between; ' +
      '* alone: every one; empty: none.',
  ),

  DB_TYPE: oneOf(['postgres'], 'postgres', 'The kind of database: postgres is the only one.'),
  DB_HOST: text(
    '',
    'The PostgreSQL server, a socket folder where it begins with /; empty: embedded.',
  ),
  DB_PORT: integer(1, 65_535, 5432, 'The port of the PostgreSQL server.'),
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
  ),
  DB_DIRECT_PORT: integer(1, 65_535, 5432, 'The port that belongs to DB_DIRECT_HOST.'),
  DB_USER: text('postgres', 'The user of the database.'),
  DB_PASSWORD: text('', 'The password of that user.', secret),
  DB_NAME: text('tasks', 'The name of the database.'),
  DB_SSLMODE: oneOf(
    sslModes,
    'disable',
    'As libpq means it: disable, require, verify-ca or verify-full.',
  ),
  DB_SSLROOTCERT: text(
    '',
    "PEM file of the trusted authorities, or system; empty: ~/.postgresql/root.crt, as libpq's.",
  ),
  DB_AUTO_MIGRATE: Type.Optional(
    Type.Boolean({
      description:
        'Migrate at start: true or false; empty: true except in production. Embedded: always.',
    }),
  ),
  DATA_DIR: text('.data', 'The folder of the embedded database, from the working directory.'),

  TEST_DB_HOST: text(
    '',
    'The PostgreSQL server of the tests; empty: an embedded one of their own.',
  ),
  TEST_DB_PORT: integer(1, 65_535, 5432, 'The port of the PostgreSQL server of the tests.'),
  TEST_DB_USER: text(
    'postgres',
    'The user of the test database; must be able to create databases.',
  ),
  TEST_DB_PASSWORD: text('', 'The password of that user.', secret),
  TEST_DB_NAME: text('tasks_test', 'The name of the test database.'),
  TEST_DB_SSLMODE: oneOf(sslModes, 'disable', 'As DB_SSLMODE, with the same DB_SSLROOTCERT.'),

  REDIS_HOST: text('', 'The Redis server; empty: none.'),
  REDIS_PORT: integer(1, 65_535, 6379, 'The port of the Redis server.'),
  REDIS_PASSWORD: text('', 'The password of the Redis server; empty: none.', secret),
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

/**
 * Reads `.env` in the working directory, if there is one, beneath the process's environment:
 * what stands there wins, even when it is empty (`DB_HOST= make run` is the embedded database).
 */
export function loadConfig(purpose?: Purpose): ConfigResult {
  try {
    const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
    return parseConfig({ ...file, ...process.env }, purpose);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { ok: false, faults: [`.env: expected a readable file, got ${code}`] };
  }
}

/** An empty variable counts as unset. */
export function parseConfig(environment: Environment, purpose: Purpose = 'tool'): ConfigResult {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables.properties)) {
    const given = environment[name];
    const value = given === undefined || given === '' ? defaultOf(schema) : coerce(schema, given);
    if (value !== undefined) values[name] = value;
  }

  if (!allValid.Check(values)) {
    // The faulty ones get their defaults, so that what concerns several variables is checked too.
    for (const [name, schema] of Object.entries(variables.properties)) {
      if (!(name in values) || Compile(schema).Check(values[name])) continue;
      faults.push(describeFault(name, schema, String(values[name])));
      values[name] = defaultOf(schema);
      if (values[name] === undefined) delete values[name];
    }
  }
  if (!allValid.Check(values)) throw new Error('a default contradicts its own schema');
  return assemble(values, purpose, faults);
}

function assemble(values: Variables, purpose: Purpose, faults: string[]): ConfigResult {
  if (purpose === 'service' && values.ENV === 'production') checkCredentials(values, faults);
  const corsOrigins = originsOf(values.CORS_ORIGINS, faults);
  const database = databaseOf(
    {
      host: values.DB_HOST,
      port: values.DB_PORT,
      user: values.DB_USER,
      password: values.DB_PASSWORD,
      name: values.DB_NAME,
      sslMode: values.DB_SSLMODE,
    },
    'DB_SSLMODE',
    values.DB_SSLROOTCERT,
    faults,
  );
  checkPooler(values, faults);
  const testDatabase = databaseOf(
    {
      host: values.TEST_DB_HOST,
      port: values.TEST_DB_PORT,
      user: values.TEST_DB_USER,
      password: values.TEST_DB_PASSWORD,
      name: values.TEST_DB_NAME,
      sslMode: values.TEST_DB_SSLMODE,
    },
    'TEST_DB_SSLMODE',
    values.DB_SSLROOTCERT,
    faults,
  );
  if (faults.length > 0) return { ok: false, faults };

  const config: Config = {
    env: values.ENV === 'local' ? 'development' : values.ENV,
    port: values.PORT,
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
    autoMigrate: database === null || (values.DB_AUTO_MIGRATE ?? values.ENV !== 'production'),
    dataDir: resolve(values.DATA_DIR),
    redis:
      values.REDIS_HOST === ''
        ? null
        : {
            host: values.REDIS_HOST,
            port: values.REDIS_PORT,
            password: values.REDIS_PASSWORD,
            ttlSeconds: values.REDIS_TTL,
          },
    cacheBytesMax: values.CACHE_MAX_BYTES,
    pprofEnabled: values.PPROF_ENABLED,
    profilesOpenLocally: values.ENV !== 'production' && hasDefaultCredentials(values),
    slowRequestMs: values.SLOW_REQUEST_MS,
    serverTiming: values.SERVER_TIMING,
    corsOrigins,
    frontEnds: values.FRONTENDS,
    batching: {
      offloadMinBatch: values.OFFLOAD_MIN_BATCH,
      batchMax: values.BATCH_MAX,
      queueMax: values.QUEUE_MAX,
      queueWaitMaxMs: values.QUEUE_WAIT_MAX_MS,
      requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
      workerThreads: values.WORKER_THREADS,
    },
    shutdownDelayMs:
      values.SHUTDOWN_DELAY_MS ?? (values.ENV === 'production' ? productionDelayMs : 0),
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
  };
  return { ok: true, config };
}

/** Everybody knows them: they guard nothing. */
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

/** As browsers send it (RFC 6454, section 7): nothing else would ever match. */
function originsOf(given: string, faults: string[]): string[] {
  if (given === '') return [];
  const origins = [...new Set(given.split(',').map((origin) => origin.trim()))];
  if (origins.length === 1 && origins[0] === '*') return origins;
  for (const origin of origins.filter((candidate) => !isOrigin(candidate))) {
    faults.push(
      'CORS_ORIGINS: expected scheme://host or scheme://host:port, in lower case, without path or ' +
        `default port, with commas between; or * alone; got ${JSON.stringify(origin)}`,
    );
  }
  return origins;
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?$/.test(text)) {
    return false;
  }
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return (protocol !== 'https:' && protocol !== 'http:') || origin === text;
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

/** What belongs to a server that is not the embedded one. */
function checkPooler({ DB_HOST, DB_POOLER, DB_DIRECT_HOST }: Variables, faults: string[]): void {
  if (DB_HOST !== '') return;
  if (DB_POOLER !== undefined) faults.push('DB_POOLER: expected DB_HOST, the pooler, beside it');
  if (DB_DIRECT_HOST !== '') {
    faults.push('DB_DIRECT_HOST: expected DB_HOST, another way to the same server, beside it');
  }
}

function directOf(database: DatabaseConfig | null, values: Variables): DatabaseConfig | null {
  const { DB_DIRECT_HOST: host, DB_DIRECT_PORT: port, DB_POOLER: pooler } = values;
  return database === null || host === ''
    ? pooledAs(pooler, database)
    : { ...database, host, port };
}

function pooledAs(
  pooler: 'transaction' | undefined,
  database: DatabaseConfig | null,
): DatabaseConfig | null {
  return database === null || pooler === undefined ? database : { ...database, pooler };
}

/**
 * As libpq does it (PostgreSQL manual, "SSL Support"): the verifying modes need a root
 * certificate file, by default `~/.postgresql/root.crt`; `system` trusts the platform's, which
 * vouch for so many that only verify-full is safe with them.
 */
function rootCert(mode: SslMode, modeName: string, given: string, faults: string[]): string | null {
  if (mode === 'disable') return null;
  if (given === 'system') {
    if (mode !== 'verify-full') {
      faults.push(`${modeName}: expected verify-full with DB_SSLROOTCERT=system, got "${mode}"`);
    }
    return null;
  }
  const file = given === '' ? join(homedir(), '.postgresql', 'root.crt') : given;
  if (existsSync(file)) return file;
  if (given !== '' || mode !== 'require') {
    faults.push(
      `DB_SSLROOTCERT: expected a PEM file of trusted authorities, or system, for ${modeName}=${mode}; ${JSON.stringify(file)} does not exist`,
    );
  }
  return null;
}

interface Annotations {
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly expected?: string;
  readonly secret?: boolean;
  readonly byMachine?: boolean;
  readonly description?: string;
}

function text(fallback: string, description: string, more: Annotations = {}) {
  return Type.String({ default: fallback, expected: 'text', description, ...more });
}

function integer(
  minimum: number,
  maximum: number,
  fallback: number,
  description: string,
  more: Annotations = {},
) {
  return Type.Integer({ minimum, maximum, default: fallback, description, ...more });
}

function oneOf<const Values extends readonly string[]>(
  values: Values,
  fallback: Values[number],
  description: string,
) {
  return Type.Unsafe<Values[number]>({ enum: [...values], default: fallback, description });
}

function defaultOf(schema: TSchema): unknown {
  return (schema as Annotations).default;
}

function coerce(schema: TSchema, given: string): unknown {
  const { type } = schema as Annotations;
  if (type === 'integer' && /^-?\d{1,15}$/.test(given)) return Number(given);
  if (type === 'boolean' && /^(true|1)$/i.test(given)) return true;
  if (type === 'boolean' && /^(false|0)$/i.test(given)) return false;
  return given;
}

function describeFault(name: string, schema: TSchema, given: string): string {
  const { secret: isSecret } = schema as Annotations;
  return `${name}: expected ${expectation(schema as Annotations)}${isSecret ? '' : `, got ${JSON.stringify(given)}`}`;
}

function expectation(schema: Annotations): string {
  if (schema.expected !== undefined) return schema.expected;
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'integer') return `an integer from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return 'true or false';
  return 'text';
}
