/** The million tasks, created once and restored to the same state before every run. */
import type { Client } from '../../src/database/client.ts';
import { seededTasks } from '../load/scenarios.ts';
import { indexAllTexts } from './texts.ts';

/** The same rows and indexes without the triggers: what a plain service would write to. */
export const tableWithoutTriggers = 'tasks_without_triggers';

/** Increment it when the rows below change. */
const seedVersion = 2;

/**
 * @param onBegin called before the seed, which takes minutes.
 * @returns true if the tasks were created now.
 */
export async function seed(sql: Client, onBegin: () => void): Promise<boolean> {
  const mark = await markOf(sql);
  if ((await readMark(sql)) === mark && (await isWhole(sql))) {
    await trim(sql);
    return false;
  }
  onBegin();
  await sql.unsafe(`DROP TABLE IF EXISTS ${tableWithoutTriggers}`);
  await sql.unsafe('TRUNCATE tasks');
  await sql.unsafe(seedText());
  await sql.unsafe(`SELECT setval(pg_get_serial_sequence('tasks', 'id'), ${seededTasks})`);
  await copyWithoutTriggers(sql);
  await sql.unsafe(`COMMENT ON TABLE ${tableWithoutTriggers} IS '${mark}'`);
  await settle(sql);
  return true;
}

/** Removes the tasks that POST runs have added. */
export async function trim(sql: Client): Promise<void> {
  for (const table of ['tasks', tableWithoutTriggers]) {
    await sql.unsafe(`DELETE FROM ${table} WHERE id > ${seededTasks}`);
  }
  await settle(sql);
}

/** Copies the first seeded tasks to the ids that the scenario `delete` requests. */
export async function addDoomed(sql: Client, table: string, count: number): Promise<void> {
  await sql.unsafe(`
    INSERT INTO ${table} (id, title, description, status, assignee_id)
    OVERRIDING SYSTEM VALUE
    SELECT id + ${seededTasks}, title, description, status, assignee_id
    FROM ${table} WHERE id <= ${count}`);
  await settle(sql);
}

/**
 * VACUUM frees the pages of trimmed rows and keeps autovacuum from starting during a run. After the
 * CHECKPOINT, every run has the same cost of first full-page writes to the log.
 */
async function settle(sql: Client): Promise<void> {
  await indexAllTexts(sql);
  await sql.unsafe(
    `VACUUM (ANALYZE) tasks, ${tableWithoutTriggers}, tasks_state, tasks_texts, tasks_unindexed`,
  );
  await sql.unsafe('CHECKPOINT');
}

async function copyWithoutTriggers(sql: Client): Promise<void> {
  const table = tableWithoutTriggers;
  await sql.unsafe(`CREATE TABLE ${table} (LIKE tasks INCLUDING ALL)`);
  // LIKE copies everything except the storage parameters.
  const [options] = await sql.unsafe<{ list: string | null }[]>(
    `SELECT array_to_string(reloptions, ', ') AS list FROM pg_class WHERE oid = 'tasks'::regclass`,
  );
  if (options?.list) await sql.unsafe(`ALTER TABLE ${table} SET (${options.list})`);
  await sql.unsafe(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM tasks ORDER BY id`);
  await sql.unsafe(`SELECT setval(pg_get_serial_sequence('${table}', 'id'), ${seededTasks})`);
}

/**
 * A plain table with text search indexes the texts with each write. Without the index the peers
 * write faster than this service, and their searches scan every task.
 */
export async function keepTextIndex(sql: Client, isWanted: boolean): Promise<void> {
  const name = `${tableWithoutTriggers}_text`;
  await sql.unsafe(
    isWanted
      ? `CREATE INDEX IF NOT EXISTS ${name} ON ${tableWithoutTriggers}
          USING gin (title gin_trgm_ops, description gin_trgm_ops)`
      : `DROP INDEX IF EXISTS ${name}`,
  );
}

/** Another schema needs another copy. */
async function markOf(sql: Client): Promise<string> {
  const [row] = await sql<{ version: string }[]>`SELECT version FROM schema_migrations`;
  return `perf seed ${seedVersion}, schema ${row?.version}`;
}

async function readMark(sql: Client): Promise<string | null> {
  const [row] = await sql.unsafe<{ mark: string | null }[]>(
    `SELECT obj_description(to_regclass('${tableWithoutTriggers}'), 'pg_class') AS mark`,
  );
  return row?.mark ?? null;
}

async function isWhole(sql: Client): Promise<boolean> {
  for (const table of ['tasks', tableWithoutTriggers]) {
    const [row] = await sql.unsafe<{ count: string }[]>(
      `SELECT count(*) AS count FROM ${table} WHERE id BETWEEN 1 AND ${seededTasks}`,
    );
    if (Number(row?.count) !== seededTasks) return false;
  }
  return true;
}

/**
 * Statuses and assignees are skewed as in practice: half of all tasks are completed or canceled, a
 * few people have most of them, a fifth have no assignee. A hash makes them the same every time.
 */
function seedText(): string {
  return `
    INSERT INTO tasks (id, title, description, status, assignee_id, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT id,
      (ARRAY['Prepare', 'Review', 'Send', 'Update', 'Check', 'Plan', 'Close', 'Discuss'])[1 + dice % 8]
        || ' the '
        || (ARRAY['quarterly report', 'invoice', 'contract', 'release notes', 'budget'])[1 + dice / 8 % 5]
        || ' for '
        || (ARRAY['Berlin', 'São Paulo', 'Kraków', 'Toronto', 'Nairobi', 'Osaka'])[1 + dice / 40 % 6]
        || ' ' || dice % 9973,
      (ARRAY['The figures of last month are in the shared folder.',
        'Ask the customer first whether the date still holds.',
        'Two of the five points are open, see the notes of the last meeting.'])[1 + dice / 240 % 3]
        || ' ' ||
        (ARRAY['It must be signed by both sides before the end of the week, and the copy goes to the archive.',
        'Nobody has answered so far.',
        'The second half depends on the first, so begin early and ask for help.'])[1 + dice / 720 % 3],
      CASE WHEN dice % 100 < 40 THEN 'completed' WHEN dice % 100 < 50 THEN 'done'
        WHEN dice % 100 < 80 THEN 'pending' WHEN dice % 100 < 94 THEN 'in_progress'
        ELSE 'canceled' END,
      CASE WHEN dice / 100 % 5 = 0 THEN 0
        ELSE 1 + floor(1000 * power(dice / 500 % 1000 / 1000.0, 3)) END,
      timestamptz '2025-01-01 00:00:00Z' + id * interval '30 seconds',
      timestamptz '2025-01-01 00:00:00Z' + id * interval '30 seconds' + dice % 86400 * interval '1 second'
    FROM generate_series(1, ${seededTasks}) AS id,
      LATERAL (SELECT hashint8(id) & 2147483647 AS dice) AS thrown
    ORDER BY id`;
}
