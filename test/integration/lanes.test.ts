/** Kinds of work that share a connection, because a thread has a limited number. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectionsPerThreadMax } from '../../src/config/connection-budget.ts';
import { type Kind, kinds } from '../../src/contract/endpoints.ts';
import { createLane } from '../../src/database/lane.ts';
import { openPipeline } from '../../src/database/pipeline/pipeline.ts';
import { createLanes } from '../../src/tasks/lanes.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually } from '../support/service.ts';

const statementTimeoutMs = 8000;
let database: TestDatabase;

before(async () => {
  database = await createTestDatabase('lanes');
});

after(() => database?.drop());

async function connectionsOf(applicationName: string): Promise<number> {
  const rows = await database.sql`
    SELECT FROM pg_stat_activity WHERE starts_with(application_name, ${applicationName})`;
  return rows.length;
}

const asked = [
  'plan_cache_mode',
  'enable_seqscan',
  'enable_bitmapscan',
  'enable_sort',
  'max_parallel_workers_per_gather',
  'lock_timeout',
  'statement_timeout',
  'TimeZone',
] as const;

/** The settings that each kind's statements need, whatever the number of connections. */
const needed: Readonly<Record<Kind, Readonly<Partial<Record<(typeof asked)[number], string>>>>> = {
  read: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', statement_timeout: '8s' },
  create: { plan_cache_mode: 'force_generic_plan', lock_timeout: '1s', statement_timeout: '2s' },
  change: { enable_bitmapscan: 'off', lock_timeout: '1s', statement_timeout: '2s' },
  remove: { enable_bitmapscan: 'off', lock_timeout: '1s', statement_timeout: '2s' },
  list: { enable_sort: 'off', enable_bitmapscan: 'off', statement_timeout: '8s' },
  search: {
    plan_cache_mode: 'force_custom_plan',
    enable_bitmapscan: 'on',
    enable_sort: 'on',
    max_parallel_workers_per_gather: '0',
    statement_timeout: '8s',
  },
};

for (let connections = 1; connections <= connectionsPerThreadMax; connections++) {
  test(`${connections} connections serve every kind with the settings that it needs`, async () => {
    const applicationName = `lanes ${connections}`;
    const lanes = createLanes({
      database: database.config,
      applicationName,
      statementTimeoutMs,
      connections,
    });
    const settings = asked.map((name) => `current_setting('${name}')`).join(', ');
    const read = async (kind: Kind) => {
      const [values] = await lanes[kind].run((pipeline) => pipeline.run(`SELECT ${settings}`, []));
      const named = Object.fromEntries(asked.map((name, place) => [name, values![place]]));
      assert.equal(named['TimeZone'], 'UTC');
      for (const [name, value] of Object.entries(needed[kind])) {
        assert.equal(named[name], value, `${kind} ${name}`);
      }
    };
    // Interleaved: no setting of a transaction remains for the next.
    for (let round = 0; round < 3; round++) {
      await Promise.all([...kinds, ...kinds.toReversed(), 'search' as const].map(read));
    }
    assert.ok((await connectionsOf(applicationName)) <= connections);
    await lanes.close();
  });
}

test('a connection is opened by the first work, given back when idle, and opened again', async () => {
  const applicationName = 'idle lane';
  const idleMs = 300;
  const lane = createLane(
    (onClose) => openPipeline(database.config, { applicationName, statementTimeoutMs, onClose }),
    statementTimeoutMs,
    idleMs,
  );
  assert.equal(await connectionsOf(applicationName), 0);
  for (let round = 0; round < 2; round++) {
    // Longer than the idle timeout, but not idle.
    await lane.run((pipeline) => pipeline.run('SELECT pg_sleep(0.9)', []));
    assert.equal(await connectionsOf(applicationName), 1);
    await eventually(async () => (await connectionsOf(applicationName)) === 0, 'it was kept');
  }
  await lane.close();
});

test('work that comes just as a connection is given back is done', async () => {
  const lane = createLane(
    (onClose) =>
      openPipeline(database.config, { applicationName: 'hasty', statementTimeoutMs, onClose }),
    statementTimeoutMs,
    1,
  );
  const until = performance.now() + 3000;
  while (performance.now() < until) {
    assert.deepEqual(await lane.run((pipeline) => pipeline.run('SELECT 1', [])), [['1']]);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
  }
  await lane.close();
});
