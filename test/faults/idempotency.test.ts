/**
 * A create with a key may be retried after any failure: while worker threads die and database
 * connections end, each task is created once.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from '../support/api.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const seconds = Number(process.env['FAULT_SECONDS'] ?? 5);
const clients = 32;
/** On a busy machine killed threads take a while to be replaced. */
const patienceMs = 60_000;

test('creates with a key happen once while threads die and connections are ended', async (t) => {
  const database = await createTestDatabase('keyed_faults');
  t.after(database.drop);
  const service = await startService({
    database: database.config,
    env: {
      OFFLOAD_MIN_BATCH: '0',
      NODE_OPTIONS: `--import=${join(import.meta.dirname, '../support/worker-killer.js')}`,
      WORKER_LIFE_MS: '2500',
    },
  });
  const until = performance.now() + seconds * 1000;
  /** On a busy machine it continues until there is something to check. */
  const isOver = (): boolean => {
    const now = performance.now();
    return now >= until && ((made > clients && endedConnections > 0) || now >= until + patienceMs);
  };
  let made = 0;
  let sentAgain = 0;
  let endedConnections = 0;

  async function work(client: number): Promise<void> {
    const api = createApi(service.port, 1);
    for (let step = 0; !isOver(); step++) {
      const name = `client-${client}-step-${step}`;
      for (;;) {
        const answer = await api.post({ title: name }, { headers: { 'Idempotency-Key': name } });
        if (answer.status === 201) break;
        assert.ok([409, 503].includes(answer.status), answer.text);
        assert.ok(performance.now() < until + 2 * patienceMs, 'it did not come to an end');
        sentAgain++;
      }
      made++;
    }
    api.close();
  }

  async function endConnections(): Promise<void> {
    while (!isOver()) {
      await sleep(100);
      const ended = await database.sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE '% create'`;
      endedConnections += ended.length;
    }
  }

  await Promise.all([
    ...Array.from({ length: clients }, (_, client) => work(client)),
    endConnections(),
  ]);
  await service.stop();
  t.diagnostic(
    `${made} tasks, ${sentAgain} requests sent again, ${endedConnections} connections ended`,
  );
  const [counted] = await database.sql<{ tasks: string; titles: string; keys: string }[]>`
    SELECT count(*) AS tasks, count(DISTINCT title) AS titles,
      (SELECT count(*) FROM idempotency_keys) AS keys FROM tasks`;
  assert.deepEqual(
    { ...counted },
    { tasks: String(made), titles: String(made), keys: String(made) },
  );
  assert.ok(made > clients && endedConnections > 0);
});
