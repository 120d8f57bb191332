/** One run of the open loop, a process of its own so that its CPU time is known. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt } from '../../support/children.ts';
import { serverEnvironment } from '../../support/options.ts';
import type { RunningServer } from '../../support/server.ts';
import type { Doomed, ScenarioName } from '../scenarios.ts';
import type { OpenLoopResult } from './result.ts';

export interface OpenLoopRun {
  readonly scenario: ScenarioName;
  readonly connections: number;
  /** The requests that are due each second. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
  readonly doomed?: Doomed;
  /** 0: it never sleeps, and needs its own core. */
  readonly napUs: number;
}

const program = fileURLToPath(new URL('./main.js', import.meta.url));

/** Rejects when the load generator fails; a server that cannot keep up is a result. */
export function runOpenLoop({ url }: RunningServer, run: OpenLoopRun): Promise<OpenLoopResult> {
  const child = fork(
    program,
    [
      `--url=${url}`,
      `--scenario=${run.scenario}`,
      `--connections=${run.connections}`,
      `--rate=${run.rate}`,
      `--seconds=${run.seconds}`,
      `--warmup=${run.warmupSeconds}`,
      `--seed=${run.seed}`,
      `--doomed=${run.doomed?.count ?? 0}`,
      `--gone=${run.doomed?.gone ?? 0}`,
      `--nap=${run.napUs}`,
    ],
    { env: serverEnvironment({}), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  adopt(child);
  return new Promise((done, reject) => {
    let told: OpenLoopResult | undefined;
    child.once('message', (message) => {
      told = message as OpenLoopResult;
    });
    child.once('close', (code) =>
      told === undefined ? reject(new Error(`the open loop ended with ${code}`)) : done(told),
    );
  });
}
