/** The steps of docs/migrating-from-go.md on a table made by GORM. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { createDatabaseIfMissing } from '../../src/database/migrate/create-database.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { createApi } from '../support/api.ts';
import { root } from '../support/house.ts';
import { dropDatabase, silentLog, unusedDatabase } from '../support/postgres.ts';
import { startService } from '../support/service.ts';

const page = readFileSync(join(root, 'docs/migrating-from-go.md'), 'utf8');
/** The SQL block of step 2. */
const before = /```sql\n([\s\S]+?)```/.exec(page)![1]!;
const copy = readFileSync(join(root, 'docs/migrating-from-go.sql'), 'utf8');

let database: DatabaseConfig;
/** One connection: the file has BEGIN and COMMIT. */
let sql: Client;

beforeEach(async () => {
  database = unusedDatabase('from_go');
  await createDatabaseIfMissing(database, silentLog);
  sql = createClient(database, { max: 1, applicationName: 'test', statementTimeoutMs: 30_000 });
});

afterEach(async () => {
  await sql.end({ timeout: 1 });
  await dropDatabase(database);
});

/** `gorm.Model` has a column for soft deletion; a plain struct has not. */
async function makeOldTable(hasSoftRemoval: boolean): Promise<void> {
  await sql.unsafe(`
    CREATE TABLE tasks (
      id bigserial PRIMARY KEY, title varchar(255) NOT NULL, description text,
      status varchar(20) DEFAULT 'pending', assignee_id bigint,
      created_at timestamptz, updated_at timestamptz
    );
    CREATE INDEX idx_tasks_status ON tasks (status);
    CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
    INSERT INTO schema_migrations VALUES (2, false);
    INSERT INTO tasks (title, description, status, assignee_id, created_at, updated_at) VALUES
      ('first', 'kept', 'done', 7, '2025-01-01 10:00:00.123456+02', '2025-01-02 00:00:00+00'),
      ('second', NULL, NULL, NULL, '2025-01-01 00:00:00+00', NULL),
      ('third', '', '', 0, '2025-01-03 00:00:00+00', '2025-01-03 00:00:00+00'),
      ('removed', '', 'pending', 0, now(), now()),
      ('never seen again', '', 'pending', 0, now(), now());
    DELETE FROM tasks WHERE id = 5`);
  if (!hasSoftRemoval) return void (await sql`DELETE FROM tasks WHERE id = 4`);
  await sql.unsafe(`
    ALTER TABLE tasks ADD COLUMN deleted_at timestamptz;
    CREATE INDEX idx_tasks_deleted_at ON tasks (deleted_at);
    UPDATE tasks SET deleted_at = now(), title = '' WHERE id = 4`);
}

async function listIndexes(): Promise<string[]> {
  const rows = await sql<{ indexdef: string }[]>`
    SELECT indexdef FROM pg_indexes WHERE tablename IN ('tasks', 'tasks_texts') ORDER BY indexname`;
  return rows.map((row) => row.indexdef);
}

for (const hasSoftRemoval of [true, false]) {
  test(`a table ${hasSoftRemoval ? 'with' : 'without'} soft removal is taken over, and the service goes on with it`, async () => {
    await makeOldTable(hasSoftRemoval);
    await sql.unsafe(before);
    await migrateUp(database, silentLog);
    const indexes = await listIndexes();
    await sql.unsafe(copy);
    assert.deepEqual(await listIndexes(), indexes);
    const [behind] = await sql`
      SELECT (SELECT count(*)::int FROM tasks_unindexed) AS queued,
        (SELECT count(*)::int FROM tasks JOIN tasks_texts USING (id, title, description)) AS indexed`;
    assert.deepEqual({ ...behind }, { queued: 0, indexed: 3 });

    const service = await startService({ database });
    const api = createApi(service.port);
    const { data, meta } = (await api.get('/api/tasks')).body;
    assert.equal(meta.total, 3);
    assert.equal((await api.get('/api/tasks?status=done')).body.meta.total, 1);
    const [first, second, third] = data;
    assert.deepEqual(first, {
      id: 1,
      title: 'first',
      description: 'kept',
      status: 'done',
      assigneeID: 7,
      createdAt: '2025-01-01T08:00:00.123Z',
      updatedAt: '2025-01-02T00:00:00.000Z',
    });
    assert.deepEqual([second!.description, second!.status, second!.assigneeID], ['', 'pending', 0]);
    assert.equal(third!.status, 'pending');
    // The old service had already used id 5.
    assert.equal(await api.create({ title: 'the first of its own' }), 6);
    api.close();
    await service.stop();
    const [counted] = await sql`SELECT sum(total)::int AS total FROM tasks_blocks`;
    assert.equal(counted!['total'], 4);
  });
}

test('rows that do not fit are named, and nothing is taken over', async () => {
  await makeOldTable(true);
  await sql`UPDATE tasks SET title = '  ' WHERE id = 1`;
  await sql`UPDATE tasks SET status = 'open', assignee_id = -1 WHERE id = 3`;
  await sql.unsafe(before);
  await migrateUp(database, silentLog);
  await assert.rejects(sql.unsafe(copy), (error: Error) => {
    assert.match(error.message, /^mend these first:\ntask 1: its title is blank\ntask 3: /);
    assert.match(error.message, /task 3: its status is 'open', its assignee is not between/);
    return true;
  });
  await sql`ROLLBACK`;
  const [left] = await sql`SELECT count(*)::int AS count FROM tasks`;
  assert.equal(left!['count'], 0);
});

test('a table that is in use already is left alone', async () => {
  await makeOldTable(false);
  await sql.unsafe(before);
  await migrateUp(database, silentLog);
  await sql`INSERT INTO tasks (title) VALUES ('mine')`;
  await assert.rejects(sql.unsafe(copy), /tasks is not empty/);
  await sql`ROLLBACK`;
});

test('a table that still has the name is not touched', async () => {
  await makeOldTable(false);
  await sql`DROP TABLE schema_migrations`;
  await assert.rejects(migrateUp(database, silentLog), /already exists/);
  const [kept] = await sql`SELECT count(*)::int AS count FROM tasks`;
  assert.equal(kept!['count'], 3);
});
