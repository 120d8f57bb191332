/** The million tasks, made once and brought back to the same state before every run. */
import type { Client } from '../../src/database/client.ts';
import { makeTasks, seedMark } from './make-tasks.ts';
import { indexAllTexts } from './texts.ts';

/** The same rows and indexes, but nobody keeps totals: what a plain service would write to. */
export const tableWithoutTriggers = 'tasks_without_triggers';

/** So many are there before each run, with the ids from 1 on. */
export const seededTasks = 1_000_000;

/** What stands in a database. */
export type TasksState = 'whole' | 'none' | 'outdated' | 'foreign';

/** `foreign`: somebody's tasks, which no measurement has made. `outdated`: of another schema, or half made. */
export async function stateOfTasks(sql: Client): Promise<TasksState> {
  const [row] = await sql.unsafe<{ mark: string | null; copied: boolean; made: boolean }[]>(`
    SELECT obj_description(to_regclass('${tableWithoutTriggers}'), 'pg_class') AS mark,
      to_regclass('${tableWithoutTriggers}') IS NOT NULL AS copied,
      to_regclass('tasks') IS NOT NULL AS made`);
  const { mark, copied, made } = row!;
  if (!made) return 'none';
  if (copied) return mark === seedMark() && (await isWhole(sql)) ? 'whole' : 'outdated';
  const [task] = await sql.unsafe('SELECT FROM tasks LIMIT 1');
  return task === undefined ? 'outdated' : 'foreign';
}

/** Makes the tasks, and their copy, in a database that has none. */
export async function fillTasks(sql: Client): Promise<void> {
  // Empty and without a mark: what is interrupted from here on is known as ours.
  await copyWithoutTriggers(sql);
  await makeTasks(sql, seededTasks);
  await sql.unsafe(
    `INSERT INTO ${tableWithoutTriggers} OVERRIDING SYSTEM VALUE SELECT * FROM tasks ORDER BY id`,
  );
  await sql.unsafe(
    `SELECT setval(pg_get_serial_sequence('${tableWithoutTriggers}', 'id'), ${seededTasks})`,
  );
  await sql.unsafe(`COMMENT ON TABLE ${tableWithoutTriggers} IS '${seedMark()}'`);
  await settle(sql);
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

async function isWhole(sql: Client): Promise<boolean> {
  for (const table of ['tasks', tableWithoutTriggers]) {
    const [row] = await sql.unsafe<{ count: string }[]>(
      `SELECT count(*) AS count FROM ${table} WHERE id BETWEEN 1 AND ${seededTasks}`,
    );
    if (Number(row?.count) !== seededTasks) return false;
  }
  return true;
}
