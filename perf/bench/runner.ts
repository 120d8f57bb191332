/** Measures one server in one round, keeps the samples and prints each as it comes. */
import type { RequestFiles } from '../load/wrk/run.ts';
import type { PerfDatabase } from '../support/database.ts';
import type { Options } from '../support/options.ts';
import { type OperationName, operations } from './operations.ts';
import type { BenchSamples, ClosedSample } from './samples.ts';
import type { ServerSubject } from './subjects.ts';
import { takeTurn } from './turn.ts';

export interface RunnerOptions {
  readonly options: Options;
  readonly database: PerfDatabase;
  readonly redisPid: number | undefined;
  /** Undefined: wrk is not installed. */
  readonly files: RequestFiles | undefined;
  readonly samples: BenchSamples;
}

export interface Runner {
  /** Rejects when the server does not start or a response is unexpected. */
  measure(subject: ServerSubject, round: number, operation: OperationName): Promise<void>;
  tell(sample: ClosedSample): void;
}

export function createRunner(around: RunnerOptions): Runner {
  const { options, database, redisPid, files, samples } = around;
  /** The rates of the open loops: half the peak of the first server in the first round. */
  const openRates = new Map<OperationName, number>();

  return { measure, tell };

  async function measure(
    subject: ServerSubject,
    round: number,
    operation: OperationName,
  ): Promise<void> {
    const turn = await takeTurn({
      subject,
      operation: operations[operation],
      round,
      seconds: options.seconds,
      wakeSeconds: options.warmupSeconds,
      database,
      redisPid,
      files,
      openRate(peak) {
        const rate = openRates.get(operation) ?? peak / 2;
        openRates.set(operation, rate);
        return rate;
      },
    });
    for (const sample of turn.closed) tell(sample);
    samples.open.push(turn.open);
    const { goodRate, rate, goodUs } = turn.open;
    process.stderr.write(
      `         open loop ${rate}/s: ${goodRate.toFixed(0)}/s  p50 ${goodUs.p50.toFixed(0)} µs  ` +
        `p99 ${goodUs.p99.toFixed(0)} µs\n`,
    );
  }

  function tell(sample: ClosedSample): void {
    samples.closed.push(sample);
    const { round, operation, connections, subject, rate, latencyUs } = sample;
    process.stderr.write(
      `round ${round + 1}/${options.rounds}  ${operation.padEnd(6)} ${String(connections).padStart(4)}  ` +
        `${subject.padEnd(32)} ${rate.toFixed(0).padStart(7)}/s  p50 ${latencyUs.p50.toFixed(0)} µs  ` +
        `p99 ${latencyUs.p99.toFixed(0)} µs\n`,
    );
  }
}
