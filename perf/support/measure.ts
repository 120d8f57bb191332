/** One run of the load generator against one server, with the CPU time of all processes. */
import { fork } from 'node:child_process';
import type { LoadMessage, LoadResult } from '../load/result.ts';
import type { Doomed, ScenarioName } from '../load/scenarios.ts';
import { adopt } from './children.ts';
import { type CpuSnapshot, cpuBetween, readCpu } from './cpu.ts';
import { serverEnvironment } from './options.ts';
import { loadProgram } from './paths.ts';
import type { Sample } from './sample.ts';
import type { RunningServer } from './server.ts';

export interface RunOptions {
  readonly server: RunningServer;
  readonly postgresPid: number;
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
  readonly doomed?: Doomed;
}

/** Rejects on any unexpected response: such a figure is meaningless. */
export async function measureServer(options: RunOptions): Promise<Sample> {
  const groups = { service: options.server.pid, postgres: options.postgresPid };
  let before: CpuSnapshot | null = null;
  let after: CpuSnapshot | null = null;
  const result = await generateLoad(options, (moment) => {
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

function generateLoad(
  options: RunOptions,
  at: (moment: 'measuring' | 'measured') => void,
): Promise<LoadResult> {
  const child = fork(
    loadProgram,
    [
      `--url=${options.server.url}`,
      `--scenario=${options.scenario}`,
      `--connections=${options.connections}`,
      `--seconds=${options.seconds}`,
      `--warmup=${options.warmupSeconds}`,
      `--seed=${options.seed}`,
      `--doomed=${options.doomed?.count ?? 0}`,
      `--gone=${options.doomed?.gone ?? 0}`,
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
          `${options.scenario} with ${options.connections} connections failed:\n  ${reasons}\n` +
            `  statuses: ${JSON.stringify(result?.statuses ?? {})}`,
        ),
      );
    });
  });
}
