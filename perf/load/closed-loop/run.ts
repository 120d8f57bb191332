/** One run of the closed loop against one server, a process of its own so that its CPU time is known. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt } from '../../support/children.ts';
import { type CpuSnapshot, cpuBetween, readCpu } from '../../support/cpu.ts';
import { serverEnvironment } from '../../support/options.ts';
import type { Sample } from '../../support/sample.ts';
import type { RunningServer } from '../../support/server.ts';
import type { Doomed, ScenarioName } from '../scenarios.ts';
import type { LoadMessage, LoadResult } from './result.ts';

export interface ClosedLoopRun {
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
  readonly doomed?: Doomed;
}

export interface MeasuredRun extends ClosedLoopRun {
  readonly server: RunningServer;
  readonly postgresPid: number;
}

type Moment = 'measuring' | 'measured';

const program = fileURLToPath(new URL('./main.js', import.meta.url));

/**
 * With the CPU time of everyone involved.
 *
 * Rejects when any answer was not as expected: such a figure means nothing.
 */
export async function measureServer(options: MeasuredRun): Promise<Sample> {
  const groups = { service: options.server.pid, postgres: options.postgresPid };
  let before: CpuSnapshot | null = null;
  let after: CpuSnapshot | null = null;
  const result = await runClosedLoop(options.server, options, (moment) => {
    if (moment === 'measuring') before = readCpu(groups);
    else after = readCpu(groups);
  });
  const cpu = cpuBetween(before, after);
  return {
    rate: result.rate,
    requests: result.requests,
    latencyUs: result.latencyUs,
    cpuSeconds: cpu === null ? null : { ...cpu.groups, client: result.cpuSeconds },
    idle: cpu === null ? null : cpu.idle / cpu.total,
    stolen: cpu === null ? null : cpu.stolen / cpu.total,
  };
}

/** Resolves when the load is over; rejects when an answer was not as expected. */
export function runClosedLoop(
  { url }: RunningServer,
  run: ClosedLoopRun,
  at: (moment: Moment) => void = () => undefined,
): Promise<LoadResult> {
  const child = fork(
    program,
    [
      `--url=${url}`,
      `--scenario=${run.scenario}`,
      `--connections=${run.connections}`,
      `--seconds=${run.seconds}`,
      `--warmup=${run.warmupSeconds}`,
      `--seed=${run.seed}`,
      `--doomed=${run.doomed?.count ?? 0}`,
      `--gone=${run.doomed?.gone ?? 0}`,
    ],
    { env: serverEnvironment({}), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  adopt(child);
  return new Promise((resolve, reject) => {
    let result: LoadResult | undefined;
    child.on('message', (message: LoadMessage) => {
      if (message.type === 'result') result = message.result;
      else at(message.type);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (result !== undefined && result.failures.length === 0) return resolve(result);
      const reasons =
        result?.failures.join('\n  ') ?? `the load generator ended with ${code ?? signal}`;
      reject(
        new Error(
          `${run.scenario} with ${run.connections} connections failed:\n  ${reasons}\n` +
            `  statuses: ${JSON.stringify(result?.statuses ?? {})}`,
        ),
      );
    });
  });
}
