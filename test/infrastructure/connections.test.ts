/**
 * A host never exceeds its connections, whatever its number of cores: clients of every kind send
 * requests at once, and none is lost. INFRASTRUCTURE_SECONDS is the time for each machine.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runFreshness } from '../freshness/run.ts';
import { keepLedgers, settle, sumOf } from '../support/ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually, startService } from '../support/service.ts';

const seconds = Number(process.env['INFRASTRUCTURE_SECONDS'] ?? 1);
const isLong = process.env['INFRASTRUCTURE_SECONDS'] !== undefined;
const longForm = !isLong && 'one of those of make test-infrastructure';
const hook = join(import.meta.dirname, '../support/cores-hook.js');

function machineOf(cores: number): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${hook}`, FAKED_CORES: String(cores) };
}

async function countConnections({ sql, config }: TestDatabase): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int FROM pg_stat_activity
    WHERE datname = ${config.name} AND starts_with(application_name, 'tasks ')`;
  return row!.count;
}

/** Counts tasks over a connection of the primary. */
async function scrape(port: number): Promise<void> {
  const credentials = Buffer.from('admin:admin').toString('base64');
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { Authorization: `Basic ${credentials}` },
  });
  assert.equal(answer.status, 200);
  await answer.text();
}

async function expectWithin(
  t: TestContext,
  most: number,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const database = await createTestDatabase('connections');
  const service = await startService({
    database: database.config,
    // Worker threads also get batches.
    env: { OFFLOAD_MIN_BATCH: '2', DB_IDLE_SECONDS: '1', ...env },
  });
  try {
    const until = performance.now() + seconds * 1000;
    let watched = true;
    let highest = 0;
    const watching = (async () => {
      while (watched) {
        await scrape(service.port);
        highest = Math.max(highest, await countConnections(database));
        await sleep(20);
      }
    })();
    const ledgers = await keepLedgers({
      port: () => service.port,
      clients: 32,
      isOver: ({ acknowledged, read }) => performance.now() > until && acknowledged > 0 && read > 0,
    });
    watched = false;
    await watching;
    const { acknowledged, read, refused, unknown } = sumOf(ledgers);
    t.diagnostic(
      `${highest} connections of at most ${most}; ${acknowledged} writes, ${read} reads in ${seconds} s`,
    );
    assert.equal(refused + unknown, 0);
    assert.ok(acknowledged > 0 && read > 0);
    assert.ok(highest > 0 && highest <= most, `${highest} connections`);
    await settle(database.sql, ledgers);
    await eventually(
      async () => (await countConnections(database)) <= 2,
      'idle connections were not given back',
    );
    assert.equal(await service.stop(), 0);
  } finally {
    await service.stop();
    await database.drop();
  }
}

test('16 cores', (t) => expectWithin(t, 24, machineOf(16)));
test('8 cores', { skip: longForm }, (t) => expectWithin(t, 24, machineOf(8)));
test('2 cores', { skip: longForm }, (t) => expectWithin(t, 24, machineOf(2)));
test('two front ends, and hardly a connection', (t) =>
  expectWithin(t, 6, { DB_CONNECTIONS: '6', FRONTENDS: '2', WORKER_THREADS: '2' }));

for (const [name, env] of [
  ['16 cores', machineOf(16)],
  ['one connection', { DB_CONNECTIONS: '6', FRONTENDS: '2' }],
] as const) {
  test(`nothing is stale with ${name}`, { skip: longForm }, async (t) => {
    const { operations, violations } = await runFreshness({ seconds, env });
    t.diagnostic(`${operations} operations checked, ${violations.length} violations`);
    assert.deepEqual(violations.slice(0, 5), []);
    assert.ok(operations > 10 * seconds);
  });
}

test('the start says how many connections there will be, and what cannot be', async () => {
  const database = await createTestDatabase('connections');
  const service = await startService({
    database: database.config,
    env: { DB_CONNECTIONS: '6', FRONTENDS: '3', WORKER_THREADS: '2' },
  });
  try {
    const said = await service.logged(({ message }) => message === 'connections to PostgreSQL');
    assert.equal(said['most'], 6);
    assert.equal(said['connections'], 6);
    assert.equal(typeof said['serverMax'], 'number');
    assert.equal(typeof said['available'], 'number');
    const fewer = await service.logged(({ message }) => message.startsWith('DB_CONNECTIONS is'));
    assert.equal(fewer.level, 'warn');
    assert.equal(fewer['frontEnds'], '2 of 3');
    assert.equal(fewer['workerThreads'], '0 of 2');
    assert.equal(service.frontEnds().length, 2);
  } finally {
    await service.stop();
    await database.drop();
  }
});
