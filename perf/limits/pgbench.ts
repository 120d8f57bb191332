/**
 * The upper bound of the database alone: PostgreSQL's load generator with one prepared statement
 * per transaction, over the same socket. No HTTP, no JSON, a client in C.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createHistogram } from '../load/histogram.ts';
import { adopt } from '../support/children.ts';
import { type CpuSnapshot, cpuBetween, readCpu } from '../support/cpu.ts';
import { searchPath } from '../support/options.ts';
import { limitsDir } from '../support/paths.ts';
import type { Latency, Sample } from '../support/sample.ts';

export interface Pgbench {
  readonly program: string;
  /** For example `pgbench (PostgreSQL) 15.0`. */
  readonly version: string;
}

export type PgbenchScript =
  | 'select.sql'
  | 'select-pipelined.sql'
  | 'select-any.sql'
  | 'insert.sql'
  | 'insert-without-triggers.sql'
  | 'update.sql'
  | 'update-without-triggers.sql';

export interface PgbenchOptions {
  readonly database: DatabaseConfig;
  readonly postgresPid: number;
  /** A file in this folder. */
  readonly script: PgbenchScript;
  readonly clients: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
}

/** Only every tenth transaction is logged, so that logging does not slow the run. */
const samplingRate = 0.1;
const debianRoot = '/usr/lib/postgresql';

/** @returns undefined when this machine has none: Debian has it in postgresql-client or postgresql. */
export function findPgbench(directories = usualDirectories()): Pgbench | undefined {
  for (const directory of directories) {
    const program = join(directory, 'pgbench');
    // Debian's wrapper is there without the program, and fails.
    const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { program, version: stdout.trim() };
  }
  return undefined;
}

function usualDirectories(): readonly string[] {
  const debian = existsSync(debianRoot)
    ? readdirSync(debianRoot)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(debianRoot, version, 'bin'))
    : [];
  return [...searchPath().split(delimiter), ...debian];
}

/** Rejects when a transaction fails. */
export async function measurePgbench(pgbench: Pgbench, options: PgbenchOptions): Promise<Sample> {
  const directory = mkdtempSync(join(tmpdir(), 'tasks-pgbench-'));
  try {
    const run = await runPgbench(pgbench, options, join(directory, 'log'));
    const latencyUs = readLatencies(directory, run.from, run.to);
    const rate = run.rates.reduce((sum, value) => sum + value, 0) / run.rates.length;
    const { cpu } = run;
    return {
      rate,
      requests: Math.round(rate * (run.to - run.from)),
      latencyUs,
      cpuSeconds: cpu === null ? null : cpu.groups,
      idle: cpu === null ? null : cpu.idle / cpu.total,
      stolen: cpu === null ? null : cpu.stolen / cpu.total,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Run {
  /** Transactions per second in each measured second. */
  readonly rates: readonly number[];
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly cpu: CpuSnapshot | null;
}

/** Progress is printed every second: the first lines are the warm-up, the others are measured. */
function runPgbench(pgbench: Pgbench, options: PgbenchOptions, log: string): Promise<Run> {
  const { database, warmupSeconds, seconds } = options;
  const child = spawn(
    pgbench.program,
    [
      ...['-h', database.host, '-p', String(database.port), '-U', database.user],
      ...['-n', '-M', 'prepared', '-f', join(limitsDir, options.script)],
      ...['-c', String(options.clients)],
      ...['-j', String(Math.min(options.clients, availableParallelism()))],
      // One second more than needed: the last line is sometimes missing.
      ...['-T', String(warmupSeconds + seconds + 1), '-P', '1', '--progress-timestamp'],
      ...['-l', `--log-prefix=${log}`, `--sampling-rate=${samplingRate}`],
      `--random-seed=${options.seed}`,
      database.name,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  adopt(child);
  const groups = { postgres: options.postgresPid, client: child.pid! };
  const rates: number[] = [];
  let lines = 0;
  let from = 0;
  let to = 0;
  let before: CpuSnapshot | null = null;
  let after: CpuSnapshot | null = null;
  let output = '';

  createInterface({ input: child.stderr }).on('line', (line) => {
    const progress = /^progress: ([\d.]+) s, ([\d.]+) tps/.exec(line);
    if (progress === null) {
      output += `${line}\n`;
      return;
    }
    lines++;
    if (lines === warmupSeconds) {
      from = Number(progress[1]);
      before = readCpu(groups);
    } else if (lines > warmupSeconds && rates.length < seconds) {
      rates.push(Number(progress[2]));
      to = Number(progress[1]);
      if (rates.length === seconds) after = readCpu(groups);
    }
  });
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });

  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const failed = /number of failed transactions: ([1-9]\d*)/.test(output);
      if (code === 0 && !failed && rates.length === seconds) {
        resolve({ rates, from, to, cpu: cpuBetween(before, after) });
      } else {
        reject(new Error(`pgbench ended with ${code}:\n${output}`));
      }
    });
  });
}

/** Columns: client, transaction, microseconds, script, seconds since 1970, microseconds of it. */
function readLatencies(directory: string, from: number, to: number): Latency {
  const histogram = createHistogram();
  for (const file of readdirSync(directory)) {
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
      const [, , latency, , second, fraction] = line.split(' ').map(Number);
      if (latency === undefined || second === undefined || fraction === undefined) continue;
      const at = second + fraction / 1e6;
      if (at >= from && at < to) histogram.record(latency);
    }
  }
  return histogram.percentiles();
}
