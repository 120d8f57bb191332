import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLane } from '../../src/database/lane.ts';
import { removeExpiredKeys } from '../../src/database/maintenance/expired-keys.ts';
import { createTestDatabase } from '../support/postgres.ts';

test('keys older than a day are removed, a bounded number at a time, and no other', async (t) => {
  const { config, sql, drop } = await createTestDatabase('expired_keys');
  t.after(drop);
  const lane = openLane(config, { applicationName: 'keys', statementTimeoutMs: 1000 });
  t.after(lane.close);
  async function add(prefix: string, count: number, age: string): Promise<void> {
    await sql`
      INSERT INTO idempotency_keys (key, fingerprint, task_id, created_at)
      SELECT ${prefix} || number, '', number, now() - ${age}::interval
      FROM generate_series(1, ${count}::int) AS number`;
  }
  await add('fresh ', 10, '23 hours 59 minutes');
  await add('old ', 30_000, '24 hours 1 minute');
  // The sum of a round's statements may exceed the timeout of one.
  await sql.unsafe(`
    CREATE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$;
    CREATE TRIGGER takes_long AFTER DELETE ON idempotency_keys EXECUTE FUNCTION takes_long()`);
  assert.equal(await removeExpiredKeys(lane, 24), 28_000);
  assert.equal(await removeExpiredKeys(lane, 24), 2000);
  assert.equal(await removeExpiredKeys(lane, 24), 0);
  const [left] = await sql`SELECT count(*) FROM idempotency_keys`;
  assert.equal(left!['count'], '10');
});
