/**
 * The time from the start of the process to its first response: warm, with the embedded database.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { adopt, stopChild } from '../support/children.ts';
import { serverEnvironment } from '../support/options.ts';
import { serviceProgram } from '../support/paths.ts';
import { freePort } from '../support/server.ts';

const answerMaxMs = 30_000;
const askEveryMs = 2;

export interface StartRuntime {
  /** The path of the Node that runs the service. */
  readonly node: string;
  /** The value of UWS_BUILD. */
  readonly build: string;
}

const ownRuntime: StartRuntime = { node: process.execPath, build: 'auto' };

/**
 * @param dataDir of a database that is not running.
 * @returns milliseconds.
 */
export async function measureStart(dataDir: string, runtime = ownRuntime): Promise<number> {
  const port = await freePort();
  const environment = serverEnvironment({
    ENV: 'production',
    UWS_BUILD: runtime.build,
    PORT: String(port),
    METRICS_PORT: String(await freePort()),
    METRICS_USERNAME: 'measurements',
    METRICS_PASSWORD: randomBytes(16).toString('hex'),
    SHUTDOWN_DELAY_MS: '0',
    DB_EMBEDDED: 'true',
    DATA_DIR: dataDir,
  });
  const began = performance.now();
  const child = spawn(runtime.node, [serviceProgram], {
    cwd: dataDir,
    env: environment,
    stdio: 'ignore',
  });
  adopt(child);
  try {
    while (performance.now() - began < answerMaxMs) {
      if (await isAnswered(`http://127.0.0.1:${port}/api/tasks/1`))
        return performance.now() - began;
      await sleep(askEveryMs);
    }
    throw new Error('the service did not answer');
  } finally {
    await stopChild(child);
  }
}

async function isAnswered(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    // The service does not listen yet.
    return false;
  }
}
