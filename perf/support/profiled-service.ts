/** The service under a load, with this process as its primary: profiles need no port then. */
import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { createFleet, type Fleet } from '../../src/fleet.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import type { ScenarioName } from '../load/scenarios.ts';
import { adopt } from './children.ts';
import type { PerfDatabase } from './database.ts';
import { serverEnvironment } from './options.ts';
import { loadProgram, serviceProgram } from './paths.ts';
import { freePort } from './server.ts';

export interface ProfiledOptions {
  readonly frontEnds: number;
  readonly offloadMinBatch: number;
  /** For Node, in each front end. */
  readonly flags: readonly string[];
}

export interface ProfiledService {
  readonly fleet: Fleet;
  readonly port: number;
  pids(): number[];
}

/** Once in a process. */
export async function startProfiledService(
  { config }: PerfDatabase,
  { frontEnds, offloadMinBatch, flags }: ProfiledOptions,
): Promise<ProfiledService> {
  cluster.setupPrimary({ exec: serviceProgram, execArgv: [...flags] });
  const port = await freePort();
  const fleet = createFleet({
    size: frontEnds,
    logLevel: 'warn',
    graceMs: 3000,
    log: createLogger({ level: 'warn', role: 'primary' }),
    frontEnd: {
      port,
      sharesPort: frontEnds > 1,
      database: config,
      batching: {
        offloadMinBatch,
        batchMax: 128,
        queueMax: 4096,
        queueWaitMaxMs: 1000,
        requestTimeoutMs: 10_000,
        workerThreads: 1,
      },
      redis: null,
      cacheBytesMax: 64 * 1024 * 1024,
      shutdownGraceMs: 3000,
      corsOrigins: [],
      profiles: true,
    },
  });
  fleet.open();
  await fleet.listening();
  return {
    fleet,
    port,
    pids: () => Object.values(cluster.workers ?? {}).map((worker) => worker!.process.pid!),
  };
}

export interface LoadOptions {
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly seconds: number;
}

/** Resolves when the load is over; rejects when an answer was not as expected. */
export function putLoadOn(port: number, options: LoadOptions): Promise<void> {
  const child = fork(
    loadProgram,
    [
      `--url=http://127.0.0.1:${port}`,
      `--scenario=${options.scenario}`,
      `--connections=${options.connections}`,
      `--seconds=${options.seconds}`,
    ],
    { env: serverEnvironment({}), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  adopt(child);
  const over = new Promise<void>((done, failed) => {
    child.once('close', (code) => (code === 0 ? done() : failed(new Error('the load failed'))));
  });
  // Whoever awaits it hears of it, perhaps much later.
  over.catch(() => undefined);
  return over;
}
