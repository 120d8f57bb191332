/** Measures the service on both of its runtimes, interleaved. */
import { resolve } from 'node:path';
import { createRequestFiles, findWrk } from '../load/wrk/run.ts';
import { startDatabase } from '../support/database.ts';
import { alone } from '../support/lock.ts';
import { describeSettings, today } from '../support/machine.ts';
import { readChoice, readOptions, readText } from '../support/options.ts';
import { writeResults } from '../support/results.ts';
import { runSession } from '../support/session.ts';
import { rotate } from '../support/statistics.ts';
import { operationNames } from './operations.ts';
import { findPairs } from './pairs.ts';
import { type PairStart, pairsReport } from './pairs-report.ts';
import { createRunner } from './runner.ts';
import type { BenchSamples, Missing } from './samples.ts';
import { measureStart } from './start-time.ts';
import { pairSubject } from './subjects.ts';

const parts = [...operationNames, 'start'] as const;
const startRounds = 5;

const options = readOptions({
  rounds: 5,
  seconds: 3,
  connections: [],
  // Until V8's compiler is idle: it takes CPU time from all processes.
  warmupSeconds: 3,
  program: 'dist/perf/bench/main.js',
});
const chosen = readChoice('ONLY', parts);
const lockFile = readText('MEASURE_LOCK');
const dataDir = resolve(options.dataDir);

const { pairs, missing: missingPairs } = findPairs();
const wrk = findWrk();
const files = wrk === undefined ? undefined : createRequestFiles();
const missing: Missing[] = [...missingPairs];
if (wrk === undefined) {
  missing.push({ what: 'wrk', reason: 'not on this machine: our own generator took its place' });
}
for (const { name, title } of pairs) process.stderr.write(`${name}: ${title}\n`);
for (const { what, reason } of missing) process.stderr.write(`missing: ${what}: ${reason}\n`);

const samples: BenchSamples = { closed: [], open: [], limits: [], startMs: [] };
const starts: PairStart[] = [];
let postgresVersion = '';
let failed = false;
if (pairs.length === 0) throw new Error('neither runtime runs on this machine');

await runSession(
  () => startDatabase(options.dataDir),
  async (database) => {
    postgresVersion = database.version;
    const runner = createRunner({ options, database, redisPid: undefined, files, samples });
    for (let round = 0; round < options.rounds; round++) {
      for (const operation of operationNames.filter((name) => chosen.includes(name))) {
        await alone(lockFile, async () => {
          for (const pair of rotate(pairs, round)) {
            try {
              await runner.measure(pairSubject(pair, database, dataDir), round, operation);
            } catch (error) {
              fail(`${pair.name} pair, ${operation}, round ${round + 1}`, error as Error);
            }
          }
        });
        write();
      }
    }
  },
);
files?.remove();

if (process.exitCode === undefined && chosen.includes('start')) {
  for (let round = 0; round < startRounds; round++) {
    for (const pair of rotate(pairs, round)) {
      const ms = await alone(lockFile, () => measureStart(dataDir, pair));
      starts.push({ round, subject: pair.name, ms });
      process.stderr.write(`start of ${pair.name}: ${ms.toFixed(0)} ms\n`);
    }
  }
  write();
}

if (failed) process.exitCode = 1;

/** The other rounds still count. The exit code and the report show that one is missing. */
function fail(what: string, error: Error): void {
  failed = true;
  process.stderr.write(`${what}: ${error.message}\n`);
  missing.push({ what, reason: error.message.split('\n')[0]! });
}

/** Written after each part, so that an interrupt does not lose earlier measurements. */
function write(): void {
  const runtimes = pairs.map(({ name, title }) => ({ label: name, value: title }));
  const settings = [
    ...describeSettings({ command: options.command, postgresVersion, peers: [], runtimes }),
    { label: 'load generator', value: `${wrk ?? 'our own'}; open loop on Node ${process.version}` },
  ];
  const name = `${today()}-bench-pairs${chosen.length === parts.length ? '' : `-${chosen.join('-')}`}`;
  writeResults(options.results, name, {
    markdown: pairsReport(settings, options, { ...samples, starts }, missing),
    json: { settings, missing, closed: samples.closed, open: samples.open, starts },
  });
}
