/** What was acknowledged is there, once; what is there was asked for. Also while threads die. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const seconds = Number(process.env['LEDGER_SECONDS'] ?? 8);
const clients = 64;

/** What a client knows of its tasks. A write without an answer makes a task uncertain. */
interface Ledger {
  /** The title that was acknowledged last. */
  readonly certain: Map<number, string>;
  readonly removed: Set<number>;
  /** Titles that a task may have, or be gone. */
  readonly uncertain: Set<number>;
  /** Titles of creates whose outcome is unknown. */
  readonly perhaps: Set<string>;
  acknowledged: number;
  unavailable: number;
}

async function work(port: number, client: number, until: number): Promise<Ledger> {
  const api = createApi(port, 1);
  const ledger: Ledger = {
    certain: new Map(),
    removed: new Set(),
    uncertain: new Set(),
    perhaps: new Set(),
    acknowledged: 0,
    unavailable: 0,
  };
  const status = () => ['pending', 'in_progress', 'completed', 'done', 'canceled'][pick(5)]!;
  for (let step = 0; performance.now() < until; step++) {
    const title = `client ${client} step ${step}`;
    const id = [...ledger.certain.keys()][pick(ledger.certain.size)];
    const roll = Math.random();
    if (id === undefined || roll < 0.5) {
      const answer = await api.post({ title, status: status() });
      if (answer.status === 201) ledger.certain.set(answer.body.data.id, title);
      else ledger.perhaps.add(title);
      count(ledger, answer.status);
    } else if (roll < 0.8) {
      const answer = await api.put(id, { title, status: status() });
      if (answer.status === 200) ledger.certain.set(id, title);
      else forget(ledger, id);
      count(ledger, answer.status);
    } else {
      const answer = await api.remove(id);
      forget(ledger, id);
      if (answer.status === 204) {
        ledger.uncertain.delete(id);
        ledger.removed.add(id);
      }
      count(ledger, answer.status);
    }
  }
  api.close();
  return ledger;
}

function pick(bound: number): number {
  return Math.floor(Math.random() * bound);
}

function forget(ledger: Ledger, id: number): void {
  ledger.certain.delete(id);
  ledger.uncertain.add(id);
}

function count(ledger: Ledger, status: number): void {
  if (status === 503) ledger.unavailable++;
  else ledger.acknowledged++;
  assert.ok([200, 201, 204, 503].includes(status), `status ${status}`);
}

async function settle(database: TestDatabase, ledgers: readonly Ledger[]): Promise<void> {
  const rows = await database.sql<{ id: string; title: string }[]>`SELECT id, title FROM tasks`;
  const stored = new Map(rows.map((row) => [Number(row.id), row.title]));
  const explained = new Set<number>();
  const perhaps = new Set<string>();
  for (const ledger of ledgers) {
    for (const [id, title] of ledger.certain) {
      assert.equal(stored.get(id), title, `task ${id} lost an acknowledged write`);
      explained.add(id);
    }
    for (const id of ledger.removed) assert.ok(!stored.has(id), `task ${id} came back`);
    for (const id of ledger.uncertain) explained.add(id);
    for (const title of ledger.perhaps) perhaps.add(title);
  }
  const unasked = rows.filter(({ id }) => !explained.has(Number(id)));
  for (const { id, title } of unasked) {
    assert.ok(
      perhaps.delete(title),
      `task ${id}, "${title}", was written twice or never asked for`,
    );
  }
  const [state] = await database.sql`
    SELECT total, pending, in_progress, completed, done, canceled FROM tasks_state`;
  const [counted] = await database.sql`
    SELECT count(*) AS total,
      count(*) FILTER (WHERE status = 'pending') AS pending,
      count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
      count(*) FILTER (WHERE status = 'completed') AS completed,
      count(*) FILTER (WHERE status = 'done') AS done,
      count(*) FILTER (WHERE status = 'canceled') AS canceled
    FROM tasks`;
  assert.deepEqual({ ...state }, { ...counted });
}

function sum(ledgers: readonly Ledger[], of: 'acknowledged' | 'unavailable'): number {
  return ledgers.reduce((total, ledger) => total + ledger[of], 0);
}

async function keepLedger(env: Readonly<Record<string, string>>) {
  const database = await createTestDatabase('ledger');
  const service = await startService({ database: database.config, env });
  const until = performance.now() + seconds * 1000;
  const ledgers = await Promise.all(
    Array.from({ length: clients }, (_, client) => work(service.port, client, until)),
  );
  const code = await service.stop();
  await settle(database, ledgers);
  await database.drop();
  assert.equal(code, 0);
  return {
    acknowledged: sum(ledgers, 'acknowledged'),
    unavailable: sum(ledgers, 'unavailable'),
    log: service.log,
  };
}

test(`${clients} clients that create, change and remove lose nothing and double nothing`, async (t) => {
  const { acknowledged, unavailable } = await keepLedger({});
  t.diagnostic(`${acknowledged} writes acknowledged in ${seconds} s`);
  assert.equal(unavailable, 0);
  assert.ok(acknowledged > clients);
});

test('the same while worker threads die: some answers are 503, nothing acknowledged is lost', async (t) => {
  const killer = join(import.meta.dirname, '../support/worker-killer.js');
  const life = seconds >= 60 ? 5000 : 2500;
  const { acknowledged, unavailable } = await keepLedger({
    OFFLOAD_MIN_BATCH: '0',
    NODE_OPTIONS: `--import=${killer}`,
    WORKER_LIFE_MS: String(life),
  });
  t.diagnostic(`${acknowledged} writes acknowledged, ${unavailable} answered 503, in ${seconds} s`);
  assert.ok(acknowledged > clients);
  assert.ok(unavailable > 0, 'no thread died while it had work: the test shows nothing');
});
