/** The service under load, with its profiles under /debug/pprof/. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { ScenarioName } from '../load/scenarios.ts';
import { adopt } from './children.ts';
import type { PerfDatabase } from './database.ts';
import { serverEnvironment } from './options.ts';
import { loadProgram } from './paths.ts';
import type { RunningServer } from './server.ts';
import { startService } from './service.ts';

export interface ProfiledOptions {
  readonly dataDir: string;
  readonly frontEnds: number;
  readonly offloadMinBatch: number;
  /** Node's flags for every process of the service. */
  readonly flags: readonly string[];
}

export interface ProfiledService extends RunningServer {
  /** @param target the part after `/debug/pprof/`. */
  profile(target: string): Promise<string>;
}

const username = 'measurements';

export async function startProfiledService(
  { config }: PerfDatabase,
  { dataDir, frontEnds, offloadMinBatch, flags }: ProfiledOptions,
): Promise<ProfiledService> {
  const password = randomBytes(16).toString('hex');
  const server = await startService(config, dataDir, {
    FRONTENDS: String(frontEnds),
    OFFLOAD_MIN_BATCH: String(offloadMinBatch),
    WORKER_THREADS: '1',
    PPROF_ENABLED: 'true',
    METRICS_USERNAME: username,
    METRICS_PASSWORD: password,
    ...(flags.length === 0 ? {} : { NODE_OPTIONS: flags.join(' ') }),
  });

  async function profile(target: string): Promise<string> {
    const authorization = `Basic ${btoa(`${username}:${password}`)}`;
    const answer = await fetch(`${server.url}/debug/pprof/${target}`, {
      headers: { authorization },
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${target}: ${answer.status} ${text}`);
    const missing = answer.headers.get('x-pprof-missing');
    if (missing !== null) throw new Error(`${target}: without ${missing}`);
    return text;
  }

  return { ...server, profile };
}

export interface LoadOptions {
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly seconds: number;
}

/** Resolves at the end of the load. Rejects on an unexpected response. */
export function putLoadOn({ url }: RunningServer, options: LoadOptions): Promise<void> {
  const child = fork(
    loadProgram,
    [
      `--url=${url}`,
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
  // A later await gets the rejection.
  over.catch(() => undefined);
  return over;
}
