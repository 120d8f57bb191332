/**
 * What the owner of a database may add that blocks a row: triggers, constraints, policies, locks.
 * The title of a written task selects the obstacle; for a removed task its description does.
 */
import type { Client } from '../../src/database/client.ts';

/** For a create or a change: the first word of the title. */
export const refusals = [
  'skip',
  'check',
  'unique',
  'null',
  'raise',
  'divide',
  'policy',
  'nested',
] as const;
export type Refusal = (typeof refusals)[number];

/** For a removal: the description of the task. */
export const guards = ['keep', 'guard', 'noted', 'hidden'] as const;

/** The description that the trigger `change` sets. */
export const changedDescription = 'by a trigger';

/** The durations of `slow` and `stuck`. */
export interface Delays {
  readonly slowSeconds: number;
  readonly stuckSeconds: number;
}

/** The advisory lock for which a task with the title `late …` waits. */
export const lateLock = 4711;

/** Creates all obstacles, and a role to which the policies apply. */
export async function putObstacles(sql: Client, role: string, delays: Delays): Promise<void> {
  await putRules(sql, delays);
  await sql.unsafe(`
    CREATE ROLE ${role} LOGIN;
    ALTER ROLE ${role} SET deadlock_timeout = '20ms';
    GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
    GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role};

    ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
    CREATE POLICY read_all ON tasks FOR SELECT USING (true);
    CREATE POLICY insert_some ON tasks FOR INSERT WITH CHECK (title NOT LIKE 'policy %');
    CREATE POLICY update_some ON tasks FOR UPDATE USING (description <> 'untouchable')
      WITH CHECK (title NOT LIKE 'policy %');
    CREATE POLICY delete_some ON tasks FOR DELETE USING (description <> 'hidden');
  `);
}

/** Creates triggers and constraints. */
export async function putRules(sql: Client, delays: Delays): Promise<void> {
  await sql.unsafe(`
    CREATE TABLE notes (task_id bigint REFERENCES tasks);
    ALTER TABLE tasks ADD CONSTRAINT no_check CHECK (title NOT LIKE 'check %');
    CREATE UNIQUE INDEX one_unique ON tasks ((left(title, 6))) WHERE title LIKE 'unique %';

    CREATE FUNCTION obstacle_of_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      CASE split_part(NEW.title, ' ', 1)
        WHEN 'skip' THEN RETURN NULL;
        WHEN 'null' THEN NEW.description := NULL;
        WHEN 'raise' THEN RAISE EXCEPTION 'secret %', NEW.title USING ERRCODE = 'ZZ123';
        WHEN 'divide' THEN NEW.assignee_id := 1 / (NEW.assignee_id - NEW.assignee_id);
        WHEN 'nested' THEN INSERT INTO notes VALUES (-1);
        WHEN 'change' THEN
          NEW.description := '${changedDescription}';
          NEW.title := NEW.title || ' changed';
          NEW.version := NEW.version + 5;
          NEW.updated_at := NEW.updated_at + interval '1 hour';
        WHEN 'renumber' THEN
          IF TG_OP = 'INSERT' THEN NEW.id := NEW.id # (1::bigint << 40); END IF;
        WHEN 'slow' THEN PERFORM pg_sleep(${delays.slowSeconds});
        WHEN 'stuck' THEN PERFORM pg_sleep(${delays.stuckSeconds});
        WHEN 'late' THEN PERFORM pg_advisory_xact_lock(${lateLock});
        ELSE
      END CASE;
      RETURN NEW;
    END $$;
    CREATE TRIGGER obstacle_of_write BEFORE INSERT OR UPDATE ON tasks
      FOR EACH ROW EXECUTE FUNCTION obstacle_of_write();

    CREATE FUNCTION obstacle_of_removal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      CASE OLD.description
        WHEN 'keep' THEN RETURN NULL;
        WHEN 'guard' THEN RAISE EXCEPTION 'secret %', OLD.title;
        ELSE RETURN OLD;
      END CASE;
    END $$;
    CREATE TRIGGER obstacle_of_removal BEFORE DELETE ON tasks
      FOR EACH ROW EXECUTE FUNCTION obstacle_of_removal();
  `);
}

export async function dropRole(sql: Client, role: string): Promise<void> {
  await sql.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
}
