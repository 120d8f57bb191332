/** A signal ends a start at any moment and leaves nothing behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandLineOf } from '../../src/embedded/processes.ts';
import { childrenOf, eventually, lives, makeFolder, startService } from '../support/service.ts';
import { endTimeoutMs, main, start } from '../support/starts.ts';

/** The slow moments of a start, and how to detect each. */
const moments = {
  'while initdb makes the embedded database': (data: string) =>
    existsSync(data) && readdirSync(data).some((name) => name.startsWith('postgres.new-')),
  'while the embedded database starts': (data: string) => existsSync(join(data, 'postgres.log')),
};

for (const [when, ...signals] of [
  ['while initdb makes the embedded database', 'SIGTERM'],
  ['while the embedded database starts', 'SIGINT'],
  ['while the embedded database starts', 'SIGTERM', 'SIGINT'],
] as const) {
  test(`${signals.join(' and ')} ${when} ends it and leaves nothing`, async () => {
    const cwd = makeFolder();
    const data = join(cwd, 'data');
    const started = start([main], cwd, { DATA_DIR: data });
    await eventually(() => moments[when](data), 'it never came so far', endTimeoutMs);
    const family = childrenOf(started.process.pid!);
    for (const signal of signals) started.process.kill(signal);
    assert.equal(await started.ended(), 0);
    assert.equal(started.lines().at(-1)?.message, 'stopped');
    await eventually(
      () => family.every((pid) => !lives(pid)) && postmasterOf(data) === undefined,
      'a process was left behind',
    );
    // Whatever existed then, the next start creates a database.
    const service = await startService({ folder: cwd });
    assert.equal(await service.stop(), 0);
    rmSync(cwd, { recursive: true, force: true });
  });
}

function postmasterOf(data: string): number | undefined {
  try {
    const pid = Number(
      readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    return lives(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

test('a signal ends a start whose program of PostgreSQL is frozen', async () => {
  const cwd = makeFolder();
  const data = join(cwd, 'data');
  const started = start([main], cwd, { DATA_DIR: data });
  let pid = 0;
  await eventually(
    () => {
      // Short-lived programs come and go meanwhile.
      const isIt = (child: number) => commandLineOf(child).includes('initdb');
      pid = childrenOf(started.process.pid!).find(isIt) ?? 0;
      return pid !== 0;
    },
    'there is no initdb',
    endTimeoutMs,
  );
  process.kill(pid, 'SIGSTOP');
  started.process.kill('SIGTERM');
  assert.equal(await started.ended(), 0);
  await eventually(() => !lives(pid), 'initdb was left behind');
  rmSync(cwd, { recursive: true, force: true });
});

test('a signal ends a start whose server says nothing', async () => {
  // Accepts connections and stays silent.
  const silent = createServer(() => undefined);
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as { port: number };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const asked = once(silent, 'connection');
    const started = start([main], makeFolder(), { DB_HOST: '127.0.0.1', DB_PORT: String(port) });
    await asked;
    started.process.kill(signal);
    assert.equal(await started.ended(), 0);
  }
  silent.close();
});
