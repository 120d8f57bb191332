import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeExpiredKeys } from '../../src/database/expired-keys.ts';
import { openPipeline } from '../../src/database/wire/pipeline.ts';
import { createTestDatabase } from '../support/postgres.ts';

test('keys older than a day are removed, a bounded number at a time, and no other', async (t) => {
  const { config, sql, drop } = await createTestDatabase('expired_keys');
  t.after(drop);
  const pipeline = openPipeline(config, {
    applicationName: 'keys',
    statementTimeoutMs: 10_000,
    onClose: () => undefined,
  });
  t.after(pipeline.close);
  async function add(prefix: string, count: number, age: string): Promise<void> {
    await sql`
      INSERT INTO idempotency_keys (key, fingerprint, task_id, created_at)
      SELECT ${prefix} || number, '', number, now() - ${age}::interval
      FROM generate_series(1, ${count}::int) AS number`;
  }
  await add('fresh ', 10, '23 hours 59 minutes');
  await add('old ', 30_000, '24 hours 1 minute');
  assert.equal(await removeExpiredKeys(pipeline, 24), 28_000);
  assert.equal(await removeExpiredKeys(pipeline, 24), 2000);
  assert.equal(await removeExpiredKeys(pipeline, 24), 0);
  const [left] = await sql`SELECT count(*) FROM idempotency_keys`;
  assert.equal(left!['count'], '10');
});
