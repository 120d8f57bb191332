/** Worker threads and processes that die in every possible way, with clients at work. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { runFault } from '../support/fault-bench.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { eventually, lives, makeFolder } from '../support/service.ts';

const killer = join(import.meta.dirname, '../support/worker-killer.js');

async function newDatabase(t: TestContext, name: string): Promise<DatabaseConfig> {
  const database = await createTestDatabase(name);
  t.after(database.drop);
  return database.config;
}

for (const [name, death, lifeMs, times] of [
  ['throw', 'throw', 400, 3],
  ['exit', 'exit', 400, 3],
  // Hardly any lives long enough to start.
  ['exit before they have started', 'exit', 20, 3],
  ['run out of memory', 'memory', 400, 3],
  // Each is detected only when its batch times out.
  ['never return', 'loop', 400, 1],
] as const) {
  test(`worker threads ${name}`, async (t) => {
    const folder = makeFolder();
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'die');
    const { log } = await runFault(t, {
      database: await newDatabase(t, `threads_${death}`),
      env: {
        OFFLOAD_MIN_BATCH: '0',
        NODE_OPTIONS: `--import=${killer}`,
        WORKER_LIFE_MS: String(lifeMs),
        WORKER_DEATH: death,
        WORKER_DEATH_FILE: file,
        REQUEST_TIMEOUT_MS: '500',
      },
      async fault({ hold }) {
        writeFileSync(file, '');
        for (let time = 0; time < times; time++) await hold();
        rmSync(file);
      },
      // The fault ends with the last thread; until then a batch has its full timeout.
      patienceMs: death === 'loop' ? 5000 : 2000,
    });
    assert.ok(!log.some(({ message }) => message === 'a front end died'), JSON.stringify(log));
  });
}

test('front ends are killed again and again', async (t) => {
  const { log } = await runFault(t, {
    database: await newDatabase(t, 'front_ends'),
    mayBreak: true,
    env: { FRONTENDS: '2' },
    async fault({ service, hold }) {
      for (let time = 0; time < 3; time++) {
        for (const pid of service.frontEnds()) process.kill(pid, 'SIGKILL');
        await hold();
      }
    },
  });
  assert.ok(log.some(({ message }) => message === 'a front end was replaced'));
});

test('the primary is killed: front ends answer what they have and stop', async (t) => {
  await runFault(t, {
    database: await newDatabase(t, 'primary'),
    mayBreak: true,
    async fault({ service, restart }) {
      const frontEnds = service.frontEnds();
      process.kill(service.pid, 'SIGKILL');
      await eventually(() => frontEnds.every((pid) => !lives(pid)), 'a front end was orphaned');
      await restart();
    },
  });
});
