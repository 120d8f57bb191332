/**
 * The test command: `node --enable-source-maps dist/test/run.js SUITE [--coverage] [PART …]`.
 *
 * A suite is a folder of test/ or a file `SUITE.test.ts` in it; `all` is every suite. A PART
 * selects the files whose path contains it. One PostgreSQL serves the whole run: the server named
 * by TEST_DB_HOST, otherwise a temporary embedded one.
 */
import { setMaxListeners } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import github from '@reporters/github';
import type { Config, DatabaseConfig } from '../src/config/config.ts';
import { loadConfig, variableNames } from '../src/config/load.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';
import { createLogger } from '../src/telemetry/log.ts';
import { createSummary } from './reporters/summary.ts';
import { reportCoverage } from './support/coverage.ts';
import { endHangingFiles } from './support/hanging-files.ts';
import { endOwnProcesses, makeRunFolder, markName, removeLeftovers } from './support/leftovers.ts';
import { prepareTemplate } from './support/postgres.ts';

const root = resolve(import.meta.dirname, '../..');
const tests = import.meta.dirname;
/** The order of the suites; others come last. */
const suites = [
  'unit',
  'house',
  'integration',
  'tooling',
  'e2e',
  'infrastructure',
  'fuzz',
  'faults',
];
const withoutDatabase = new Set(['unit', 'house']);
/** A file that takes longer hangs: the runner ends it as failed. */
const fileTimeoutMs =
  300_000 +
  2000 * Number(process.env['FRESHNESS_SECONDS'] ?? 14) +
  6000 * Number(process.env['DRAINS'] ?? 4) +
  20_000 * Number(process.env['INFRASTRUCTURE_SECONDS'] ?? 0) +
  10 * Number(process.env['FUZZ_REQUESTS'] ?? 0) +
  1000 * Number(process.env['SCHEMATHESIS_EXAMPLES'] ?? 0) +
  200 * Number(process.env['OBSTACLE_BATCHES'] ?? 0);
/** Half of a file's time is waiting. More files at once would only slow each other. */
const concurrency = Math.min(2 * availableParallelism(), 6);
/** A longer path leaves no room for the path of a Unix socket. */
const temporaryFolderMaxBytes = 48;

/**
 * Variables of the tests' server, and of the uWebSockets.js build for which bin/node chose Node.
 */
const kept = /^(TEST_D|UWS_BUILD$)/;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const [suite = 'all', ...rest] = args;
  const files = chooseFiles(
    suite,
    rest.filter((word) => !word.startsWith('--')),
  );
  if (files.length === 0) {
    console.error(`There is no test file: ${args.join(' ')}`);
    return 1;
  }
  const configuration = loadConfig('tests');
  if (!configuration.ok) {
    for (const fault of configuration.faults) console.error(fault);
    return 1;
  }

  removeLeftovers();
  const folder = makeRunFolder();
  const interrupted = new AbortController();
  // Every test file adds a listener.
  setMaxListeners(0, interrupted.signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // A second signal ends the process at once; the next run removes leftovers.
    process.once(signal, () => interrupted.abort());
  }
  const coverageFolder = rest.includes('--coverage') ? join(folder, 'coverage') : null;
  prepareEnvironment(folder, coverageFolder);
  let database: TestDatabase | null = null;
  let released = false;
  /** @returns the processes that tests left running. */
  async function release(): Promise<string[]> {
    if (released) return [];
    released = true;
    await database?.stop();
    return endOwnProcesses();
  }

  try {
    if (files.some((file) => !withoutDatabase.has(suiteOf(file)))) {
      database = await openDatabase(configuration.config, folder);
      await prepareTemplate(database.config);
      describeToChildren(database.config);
    }
    const { signal } = interrupted;
    if (!signal.aborted && (await runFiles(files, signal, coverageFolder, release))) return 0;
    return signal.aborted ? 130 : 1;
  } finally {
    await release();
    rmSync(folder, { recursive: true, force: true });
  }
}

function chooseFiles(suite: string, parts: readonly string[]): string[] {
  return readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => suite === 'all' || suiteOf(file) === suite)
    .filter((file) => {
      const source = `test/${file.replace(/js$/, 'ts')}`;
      return parts.length === 0 || parts.some((part) => source.includes(part));
    })
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function suiteOf(file: string): string {
  return file.split(/[/\\]/)[0]!.replace(/\.test\.js$/, '');
}

function rank(file: string): number {
  const place = suites.indexOf(suiteOf(file));
  return place === -1 ? suites.length : place;
}

/** The tests must not depend on the variables of the machine's owner. */
function prepareEnvironment(folder: string, coverageFolder: string | null): void {
  for (const name of variableNames) {
    if (!kept.test(name)) delete process.env[name];
  }
  process.env[markName] = String(process.pid);
  if (Buffer.byteLength(folder) <= temporaryFolderMaxBytes) process.env['TMPDIR'] = folder;
  if (coverageFolder !== null) process.env['NODE_V8_COVERAGE'] = coverageFolder;
}

interface TestDatabase {
  readonly config: DatabaseConfig;
  stop(): Promise<void>;
}

async function openDatabase(config: Config, folder: string): Promise<TestDatabase> {
  if (config.testDatabase !== null) return { config: config.testDatabase, async stop() {} };
  const log = createLogger({ level: 'warn', role: 'tests', write: (line) => console.error(line) });
  const databaseName = config.testDatabaseName;
  return startEmbedded({ dataDir: join(folder, 'pg'), log, databaseName });
}

function describeToChildren(config: DatabaseConfig): void {
  for (const name of variableNames) if (name.startsWith('TEST_D')) delete process.env[name];
  Object.assign(process.env, {
    TEST_DB_HOST: config.host,
    TEST_DB_PORT: String(config.port),
    TEST_DB_USER: config.user,
    TEST_DB_PASSWORD: config.password,
    TEST_DB_NAME: config.name,
    TEST_DB_SSLMODE: config.sslMode,
    ...(config.sslRootCert === null ? {} : { DB_SSLROOTCERT: config.sslRootCert }),
  });
}

/** @returns whether all tests passed, including the coverage thresholds. */
async function runFiles(
  files: readonly string[],
  signal: AbortSignal,
  coverageFolder: string | null,
  release: () => Promise<string[]>,
): Promise<boolean> {
  let passed = false;
  const events = run({
    files: files.map((file) => join(tests, file)),
    concurrency,
    timeout: fileTimeoutMs,
    signal,
  });
  endHangingFiles(events, fileTimeoutMs);
  const reports = [events.compose(new spec())];
  if (process.env['GITHUB_ACTIONS'] !== undefined) reports.push(events.compose(github));
  for (const report of reports) report.pipe(process.stdout, { end: false });

  const summary = createSummary({
    root,
    async finish(failed) {
      passed = failed === 0;
      // The last line is the summary's.
      await Promise.all(reports.map((report) => finished(report, { writable: false })));
      const left = (await release()).map((command) => `left running by a test: ${command}\n`);
      if (coverageFolder === null || signal.aborted) return left.join('');
      const coverage = await reportCoverage(root, coverageFolder);
      passed &&= coverage.sufficient;
      return [...left, coverage.text].join('');
    },
  });
  for await (const text of events.compose(summary)) process.stdout.write(text);
  return passed;
}
