/** Worker threads and processes that die, in every way that they can, with clients at work. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runFault } from '../support/fault-bench.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { eventually, lives } from '../support/service.ts';

const killer = join(import.meta.dirname, '../support/worker-killer.js');

for (const [name, death, lifeMs] of [
  ['throw', 'throw', '400'],
  ['exit', 'exit', '400'],
  ['run out of memory', 'memory', '800'],
  ['never return', 'loop', '1500'],
] as const) {
  test(`worker threads ${name} again and again`, async (t) => {
    const { log } = await runFault(t, {
      database: (await createTestDatabase(`threads_${death}`)).config,
      env: {
        OFFLOAD_MIN_BATCH: '0',
        NODE_OPTIONS: `--import=${killer}`,
        WORKER_LIFE_MS: lifeMs,
        WORKER_DEATH: death,
        REQUEST_TIMEOUT_MS: '500',
      },
      // They go on dying: what is measured is the time from one of many deaths to service.
      fault: async ({ hold }) => {
        await hold();
        await hold();
      },
      patienceMs: 4000,
    });
    assert.ok(!log.some(({ message }) => message === 'a front end died'), JSON.stringify(log));
  });
}

test('front ends are killed again and again', async (t) => {
  const { log } = await runFault(t, {
    database: (await createTestDatabase('front_ends')).config,
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
  const own = (await createTestDatabase('primary')).config;
  await runFault(t, {
    database: own,
    mayBreak: true,
    async fault({ service, restart }) {
      const frontEnds = service.frontEnds();
      process.kill(service.pid, 'SIGKILL');
      await eventually(() => frontEnds.every((pid) => !lives(pid)), 'a front end was orphaned');
      await restart();
    },
  });
});
