/** One run of a round: subject, operation, number of connections. */
import { measurePgbench, type Pgbench, type PgbenchOptions } from '../limits/pgbench.ts';
import type { PerfDatabase } from './database.ts';
import { measureServer } from './measure.ts';
import type { Operation, Options } from './options.ts';
import type { Sample } from './sample.ts';
import type { RunningServer } from './server.ts';

export interface Run {
  readonly subject: string;
  readonly operation: Operation;
  /** For pgbench: clients. */
  readonly connections: number;
  measure(round: number): Promise<Sample>;
}

/** The result of a run, as stored in the raw results. */
export interface Measured extends Sample {
  readonly round: number;
  readonly subject: string;
  readonly operation: Operation;
  readonly connections: number;
}

export interface RunContext {
  readonly database: PerfDatabase;
  readonly options: Options;
}

/** Enough for V8 to compile the hot code. */
const wakeSeconds = 2;
const wakeConnections = 64;
const wakeSeed = 1000;

export function serverRun(
  { database, options }: RunContext,
  server: RunningServer,
  what: Omit<Run, 'measure'>,
): Run {
  return {
    ...what,
    measure: (round) =>
      measureServer({
        server,
        postgresPid: database.pid,
        scenario: what.operation,
        connections: what.connections,
        seconds: options.seconds,
        warmupSeconds: options.warmupSeconds,
        seed: 1 + round,
      }),
  };
}

export function pgbenchRun(
  { database, options }: RunContext,
  pgbench: Pgbench,
  script: PgbenchOptions['script'],
  what: Omit<Run, 'measure'>,
): Run {
  return {
    ...what,
    measure: (round) =>
      measurePgbench(pgbench, {
        database: database.config,
        postgresPid: database.pid,
        script,
        clients: what.connections,
        seconds: options.seconds,
        warmupSeconds: options.warmupSeconds,
        seed: 1 + round,
      }),
  };
}

/** Measures one run and restores the tables. */
export async function carryOut(context: RunContext, run: Run, round: number): Promise<Measured> {
  const { subject, operation, connections } = run;
  const sample = await run.measure(round);
  if (operation === 'post') await context.database.trim();
  const { p50, p99 } = sample.latencyUs;
  process.stderr.write(
    `round ${round + 1}/${context.options.rounds}  ${operation.padEnd(4)} ` +
      `${String(connections).padStart(4)}  ${subject.padEnd(24)} ` +
      `${sample.rate.toFixed(0).padStart(7)}/s  p50 ${p50.toFixed(0)} µs  p99 ${p99.toFixed(0)} µs\n`,
  );
  return { round, subject, operation, connections, ...sample };
}

/** Lets a new process compile its hot code and open its connections. */
export async function wake(
  { database, options }: RunContext,
  server: RunningServer,
): Promise<void> {
  for (const scenario of options.operations) {
    await measureServer({
      server,
      postgresPid: database.pid,
      scenario,
      connections: wakeConnections,
      seconds: wakeSeconds,
      warmupSeconds: 0.1,
      seed: wakeSeed,
    });
  }
}
