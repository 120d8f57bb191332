/** Schema changes during statements, with clients at work. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createClient } from '../../src/database/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { runFault } from '../support/fault-bench.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

const alterations: readonly (readonly [name: string, ...statements: string[]])[] = [
  [
    'columns are added and dropped',
    'ALTER TABLE tasks ADD COLUMN extra text',
    'ALTER TABLE tasks ADD COLUMN more int NOT NULL DEFAULT 7',
    'ALTER TABLE tasks DROP COLUMN extra, DROP COLUMN more',
  ],
  [
    // "cached plan must not change result type"
    'the type of a column that is read changes, and back',
    'ALTER TABLE tasks ALTER COLUMN title TYPE varchar(300)',
    'ALTER TABLE tasks ALTER COLUMN title TYPE text',
    'ALTER TABLE tasks_state ALTER COLUMN generation TYPE numeric',
    'ALTER TABLE tasks_state ALTER COLUMN generation TYPE bigint',
  ],
  [
    'indexes are dropped and made again',
    'DROP INDEX CONCURRENTLY tasks_texts_trigrams',
    'CREATE INDEX CONCURRENTLY extra_index ON tasks (updated_at, title)',
    'REINDEX INDEX CONCURRENTLY extra_index',
    'DROP INDEX extra_index',
  ],
  [
    'tables are written anew',
    'VACUUM FULL tasks',
    'VACUUM FULL tasks_state',
    'VACUUM FULL tasks_unindexed',
    'VACUUM FULL tasks_texts',
    'CLUSTER tasks USING tasks_pkey',
  ],
];

for (const [name, ...statements] of alterations) {
  test(`clients lose nothing while ${name}`, async (t) => {
    const database = await cluster.database(
      `schema_${alterations.findIndex((one) => one[0] === name)}`,
    );
    await runFault(t, {
      database,
      mayPassUnnoticed: true,
      async fault() {
        for (const statement of statements) {
          await alter(database, statement);
          await sleep(100);
        }
      },
    });
  });
}

test('clients lose nothing while an exclusive lock is held for longer than a request may take', async (t) => {
  const database = await cluster.database('locked');
  await runFault(t, {
    database,
    env: { REQUEST_TIMEOUT_MS: '400' },
    async fault({ hold, probe }) {
      const sql = createClient(database, { max: 1, applicationName: 'ddl', statementTimeoutMs: 0 });
      await sql.begin(async (locking) => {
        await locking`LOCK TABLE tasks, tasks_state IN ACCESS EXCLUSIVE MODE`;
        const { live, read, list, change } = await probe();
        assert.deepEqual([live, read, list, change], [200, 503, 503, 503]);
        await hold();
      });
      await sql.end({ timeout: 1 });
    },
  });
});

/**
 * Like a migration tool: it uses a lock timeout and retries, so that it does not block all clients.
 */
async function alter(database: DatabaseConfig, statement: string): Promise<void> {
  for (;;) {
    const sql = createClient(database, {
      max: 1,
      applicationName: 'ddl',
      statementTimeoutMs: 0,
      settings: { lock_timeout: '2000' },
    });
    try {
      await sql.unsafe(statement);
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== '55P03') throw error;
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}
