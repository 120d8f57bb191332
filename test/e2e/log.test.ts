/** A failing log does not end the service. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { createApi } from '../support/api.ts';
import { freePort } from '../support/free-port.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { childrenOf, eventually, lives, makeFolder } from '../support/service.ts';

const main = resolve(import.meta.dirname, '../../src/main.js');
const folder = makeFolder();
let database: TestDatabase;
before(async () => {
  database = await createTestDatabase('log');
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database?.drop();
});

function launch(port: number, stdout: number | 'pipe'): ChildProcess {
  const { host, port: databasePort, user, password, name } = database.config;
  return spawn(process.execPath, [main], {
    cwd: folder,
    stdio: ['ignore', stdout, 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      METRICS_PORT: '0',
      FRONTENDS: '1',
      DB_HOST: host,
      DB_PORT: String(databasePort),
      DB_USER: user,
      DB_PASSWORD: password,
      DB_NAME: name,
    },
  });
}

/** Kills a front end to cause log lines; its replacement must serve. */
async function holdItGoesOn(child: ChildProcess, port: number): Promise<void> {
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const serves = async (): Promise<boolean> => {
    assert.equal(child.exitCode, null);
    const api = createApi(port, 1);
    const answer = await api.get('/api/tasks').catch(() => undefined);
    api.close();
    return answer?.status === 200;
  };
  await eventually(serves, 'it does not serve', 30_000);
  for (let round = 0; round < 2; round++) {
    const [victim] = childrenOf(child.pid!);
    process.kill(victim!, 'SIGKILL');
    await eventually(() => !lives(victim!), 'it does not die');
    await eventually(serves, 'it serves no more', 30_000);
  }
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
}

test('a service whose log is on a full disk starts, serves, replaces and stops', {
  skip: existsSync('/dev/full') ? false : 'the system has no /dev/full',
}, async () => {
  const full = openSync('/dev/full', 'w');
  const port = await freePort();
  const child = launch(port, full);
  closeSync(full);
  await holdItGoesOn(child, port);
});

test('a reader of the log that goes away takes nothing along', async () => {
  const port = await freePort();
  const child = launch(port, 'pipe');
  await new Promise((heard) => child.stdout!.once('data', heard));
  child.stdout!.destroy();
  await holdItGoesOn(child, port);
});
