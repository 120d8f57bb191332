/** The million tasks, made once and brought back to the same state before every run. */
import type { Client } from '../../src/database/client.ts';
import { seededTasks } from '../load/scenarios.ts';
import { indexAllTexts } from './texts.ts';

/** The same rows and indexes, but nobody keeps totals: what a plain service would write to. */
export const tableWithoutTriggers = 'tasks_without_triggers';

/** To be raised when the rows below change. */
const seedVersion = 2;

/**
 * @param onBegin told before it begins, which takes minutes.
 * @returns true when the tasks had to be made.
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

/** Takes away what POST runs have added. */
export async function trim(sql: Client): Promise<void> {
  for (const table of ['tasks', tableWithoutTriggers]) {
    await sql.unsafe(`DELETE FROM ${table} WHERE id > ${seededTasks}`);
  }
  await settle(sql);
}

/** Copies of the first seeded tasks, with the ids that the scenario `delete` asks for. */
export async function addDoomed(sql: Client, table: string, count: number): Promise<void> {
  await sql.unsafe(`
    INSERT INTO ${table} (id, title, description, status, assignee_id)
    OVERRIDING SYSTEM VALUE
    SELECT id + ${seededTasks}, title, description, status, assignee_id
    FROM ${table} WHERE id <= ${count}`);
  await settle(sql);
}

/**
 * VACUUM gives the pages of trimmed rows back and keeps autovacuum from beginning in the middle of
 * a run; after the CHECKPOINT every run pays the same first writes of whole pages to the log.
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
  // LIKE copies everything but the storage parameters.
  const [options] = await sql.unsafe<{ list: string | null }[]>(
    `SELECT array_to_string(reloptions, ', ') AS list FROM pg_class WHERE oid = 'tasks'::regclass`,
  );
  if (options?.list) await sql.unsafe(`ALTER TABLE ${table} SET (${options.list})`);
  await sql.unsafe(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM tasks ORDER BY id`);
  await sql.unsafe(`SELECT setval(pg_get_serial_sequence('${table}', 'id'), ${seededTasks})`);
}

/**
 * Whoever wants to search for texts in a plain table indexes them with each write. Without the index
 * the peers write faster than we do, and a search of theirs looks at every task.
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
 * Statuses and assignees are skewed as they are in life: half of all tasks are over, a few people
 * have most of them, one in five belongs to nobody. The hash makes them the same every time.
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
