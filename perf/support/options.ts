/** The only reader of the environment in perf/. */

export interface Options {
  readonly rounds: number;
  /** How long each run is measured. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly connections: readonly number[];
  /** Where the database with the million tasks is kept from run to run. */
  readonly dataDir: string;
  /** Where the table and the raw figures go. */
  readonly results: string;
  /** The variables that were set, as one would type them again. */
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

/** Of the service's variables, those that a comparison may want to change. */
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

/** @throws an Error that says what was expected. */
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
 * The environment of a server under test: what a process needs, the tuning variables, and what is
 * given here. Nothing else, so that a variable of the user's shell does not change the figures.
 */
export function serverEnvironment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const needed = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'LD_LIBRARY_PATH', ...tuning];
  const passed = needed.filter((name) => variable(name) !== '');
  return { ...Object.fromEntries(passed.map((name) => [name, variable(name)])), ...given };
}

/** The user's own, for a tool that needs all of it: npm has its settings there. */
export function inheritedEnvironment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...given };
}

/** The variables that give the service a Redis, when REDIS_HOST is set. */
export function redisSettings(): Readonly<Record<string, string>> | undefined {
  if (variable('REDIS_HOST') === '') return undefined;
  const names = ['REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD'];
  const set = names.filter((name) => variable(name) !== '');
  return Object.fromEntries(set.map((name) => [name, variable(name)]));
}

export function searchPath(): string {
  return variable('PATH');
}

/** Words of a variable with commas between; all of them when it is empty. */
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

/** A variable that is true, false or left out. */
export function readSwitch(name: string): boolean {
  const text = variable(name);
  if (text === 'true') return true;
  if (text === 'false' || text === '') return false;
  throw new Error(`${name}: expected true or false`);
}

/** A variable that may be left out. */
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
