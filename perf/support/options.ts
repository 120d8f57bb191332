/** The only reader of the environment in perf/. */

export interface Options {
  readonly rounds: number;
  /** The measured time of each run. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: readonly number[];
  /** The folder of the database with a million tasks, kept between runs. */
  readonly dataDir: string;
  /** The folder of the table and the raw figures. */
  readonly results: string;
  /** The variables that were set, as a command line. */
  readonly command: string;
}

export interface Defaults {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly warmupSeconds?: number;
  /** The program's own file, for the command in the header. */
  readonly program: string;
}

/** The service's variables that a comparison may change. */
const tuning = [
  'FRONTENDS',
  'WORKER_THREADS',
  'OFFLOAD_MIN_BATCH',
  'BATCH_MAX',
  'QUEUE_MAX',
  'POOL_MAX',
  'CACHE_MAX_BYTES',
] as const;
const ours = [
  'PAIRS',
  'ROUNDS',
  'SECONDS',
  'WARMUP',
  'ONLY',
  'CONNECTIONS',
  'PEERS',
  'PEER_TABLE',
  'PEER_TEXT_INDEX',
] as const;

/** @throws an Error with what was expected. */
export function readOptions(defaults: Defaults): Options {
  const set = [...ours, ...tuning].filter((name) => variable(name) !== '');
  return {
    rounds: wholeNumber('ROUNDS', defaults.rounds),
    seconds: wholeNumber('SECONDS', defaults.seconds),
    warmupSeconds: wholeNumber('WARMUP', defaults.warmupSeconds ?? 1),
    connections: readConnections(defaults.connections),
    dataDir: variable('DATA_DIR') || '.data/perf',
    results: variable('RESULTS') || 'perf/results',
    command: [
      ...set.map((name) => `${name}=${variable(name)}`),
      `bin/node ${defaults.program}`,
    ].join(' '),
  };
}

/**
 * The environment of a server under test: what a process needs, the tuning variables, and the given
 * ones. Nothing else, so that the user's shell does not change the figures.
 */
export function serverEnvironment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const needed = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'LD_LIBRARY_PATH', ...tuning];
  const passed = needed.filter((name) => variable(name) !== '');
  return { ...Object.fromEntries(passed.map((name) => [name, variable(name)])), ...given };
}

/** The user's whole environment, for npm, which has its settings there. */
export function inheritedEnvironment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...given };
}

/** The service's variables for Redis, if REDIS_HOST is set. */
export function redisSettings(): Readonly<Record<string, string>> | undefined {
  if (variable('REDIS_HOST') === '') return undefined;
  const names = ['REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD'];
  const set = names.filter((name) => variable(name) !== '');
  return Object.fromEntries(set.map((name) => [name, variable(name)]));
}

export function searchPath(): string {
  return variable('PATH');
}

/** A comma-separated variable; all names if it is empty. */
export function readChoice<Name extends string>(
  name: string,
  all: readonly Name[],
): readonly Name[] {
  const text = variable(name);
  if (text === '') return all;
  const found = all.filter((word) => text.split(',').includes(word));
  if (found.length === text.split(',').length) return found;
  throw new Error(`${name}: expected some of ${all.join(',')}`);
}

/** A variable with true, false or no value. */
export function readSwitch(name: string): boolean {
  const text = variable(name);
  if (text === 'true') return true;
  if (text === 'false' || text === '') return false;
  throw new Error(`${name}: expected true or false`);
}

/** An optional variable. */
export function readText(name: string): string | undefined {
  return variable(name) || undefined;
}

function readConnections(fallback: readonly number[]): readonly number[] {
  const text = variable('CONNECTIONS');
  if (text === '') return fallback;
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers;
  throw new Error('CONNECTIONS: expected whole numbers, as in 1,64,256');
}

function wholeNumber(name: string, fallback: number): number {
  const text = variable(name);
  const value = text === '' ? fallback : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name}: expected a whole number above 0`);
}

function variable(name: string): string {
  return process.env[name] ?? '';
}
