import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabaseWatch } from '../../src/telemetry/database-watch.ts';
import { eventually } from '../support/service.ts';

test('the database is away once and back once, however many requests fail', async () => {
  const said: string[] = [];
  let isThere = false;
  let pings = 0;
  const watch = createDatabaseWatch({
    reasonOf: (error) => `in words: ${String((error as { code?: unknown }).code)}`,
    async ping() {
      pings++;
      await sleep(1);
      if (!isThere) throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    },
    log: {
      info: (message) => said.push(message),
      warn: (message, { reason }) => said.push(`${message}: ${reason}`),
    },
  });
  for (let time = 0; time < 50; time++) {
    watch.suspect();
    await sleep(2);
  }
  assert.deepEqual(said, ['the database is away: in words: ECONNREFUSED']);
  assert.ok(pings < 5, 'it asked for each failure');
  isThere = true;
  await eventually(() => said.length === 2, 'nobody says that it is back');
  assert.equal(said[1], 'the database is back');
  watch.close();
});

test('a failure while the database answers is not the database’s', async () => {
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const watch = createDatabaseWatch({
    ping: async () => undefined,
    reasonOf: String,
    log: { info: say, warn: say },
  });
  watch.suspect();
  await sleep(10);
  assert.deepEqual(said, []);
  watch.close();
});
