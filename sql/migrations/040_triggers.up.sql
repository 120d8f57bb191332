-- The triggers on every change of a task maintain the generation, the counts (020) and the queue
-- (030).
--
-- They run in the transaction of every writer: their updates become visible together with the
-- change, or not at all.

-- No writer can change a task between the count at the end of this file and the first trigger.
LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;

-- 1. Ordinary sessions: one trigger for each event
--
-- Statement triggers with transition tables: a statement advances the generation by one, however
-- many rows it changes. (An INSERT ... ON CONFLICT DO UPDATE that does both counts as two.)
--
-- Each trigger updates the row of tasks_state first. That row stays locked until the transaction
-- ends, so writers queue there and cannot deadlock at a block or at the queue.
--
-- * The row of tasks_state is found by its key. Its table grows to some hundred pages when old snapshots
--   are held during writes, and without the key all of them would be read.
-- * Rows are counted once. If all rows of a statement are in one block, as with a single task, those
--   counts are the block's counts too.

CREATE FUNCTION tasks_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  added record;
BEGIN
  SELECT count(*) AS total,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE status = 'completed') AS completed,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE status = 'canceled') AS canceled,
    min(id) >> 14 AS first_block, max(id) >> 14 AS last_block
  INTO added FROM new_tasks;
  IF added.total = 0 THEN
    RETURN NULL;
  END IF;

  UPDATE tasks_state SET
    generation  = generation + 1,
    total       = total + added.total,
    pending     = pending + added.pending,
    in_progress = in_progress + added.in_progress,
    completed   = completed + added.completed,
    done        = done + added.done,
    canceled    = canceled + added.canceled
  WHERE only_row;

  IF added.first_block = added.last_block THEN
    UPDATE tasks_blocks SET
      total       = total + added.total,
      pending     = pending + added.pending,
      in_progress = in_progress + added.in_progress,
      completed   = completed + added.completed,
      done        = done + added.done,
      canceled    = canceled + added.canceled
    WHERE block = added.first_block;
  END IF;
  -- Several blocks, or a new one.
  IF added.first_block <> added.last_block OR NOT FOUND THEN
    INSERT INTO tasks_blocks AS counted
    SELECT id >> 14, count(*),
      count(*) FILTER (WHERE status = 'pending'),
      count(*) FILTER (WHERE status = 'in_progress'),
      count(*) FILTER (WHERE status = 'completed'),
      count(*) FILTER (WHERE status = 'done'),
      count(*) FILTER (WHERE status = 'canceled')
    FROM new_tasks GROUP BY 1
    ON CONFLICT (block) DO UPDATE SET
      total       = counted.total + excluded.total,
      pending     = counted.pending + excluded.pending,
      in_progress = counted.in_progress + excluded.in_progress,
      completed   = counted.completed + excluded.completed,
      done        = counted.done + excluded.done,
      canceled    = counted.canceled + excluded.canceled;
  END IF;

  INSERT INTO tasks_unindexed SELECT id FROM new_tasks;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  gone record;
BEGIN
  SELECT count(*) AS total,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE status = 'completed') AS completed,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE status = 'canceled') AS canceled,
    min(id) >> 14 AS first_block, max(id) >> 14 AS last_block
  INTO gone FROM old_tasks;
  IF gone.total = 0 THEN
    RETURN NULL;
  END IF;

  UPDATE tasks_state SET
    generation  = generation + 1,
    total       = total - gone.total,
    pending     = pending - gone.pending,
    in_progress = in_progress - gone.in_progress,
    completed   = completed - gone.completed,
    done        = done - gone.done,
    canceled    = canceled - gone.canceled
  WHERE only_row;

  IF gone.first_block = gone.last_block THEN
    UPDATE tasks_blocks SET
      total       = total - gone.total,
      pending     = pending - gone.pending,
      in_progress = in_progress - gone.in_progress,
      completed   = completed - gone.completed,
      done        = done - gone.done,
      canceled    = canceled - gone.canceled
    WHERE block = gone.first_block;
  ELSE
    UPDATE tasks_blocks AS counted SET
      total       = counted.total - gone_there.total,
      pending     = counted.pending - gone_there.pending,
      in_progress = counted.in_progress - gone_there.in_progress,
      completed   = counted.completed - gone_there.completed,
      done        = counted.done - gone_there.done,
      canceled    = counted.canceled - gone_there.canceled
    FROM (
      SELECT id >> 14 AS block, count(*) AS total,
        count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
        count(*) FILTER (WHERE status = 'completed') AS completed,
        count(*) FILTER (WHERE status = 'done') AS done,
        count(*) FILTER (WHERE status = 'canceled') AS canceled
      FROM old_tasks GROUP BY 1
    ) AS gone_there
    WHERE counted.block = gone_there.block;
  END IF;

  INSERT INTO tasks_unindexed SELECT id FROM old_tasks;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moved record;
BEGIN
  SELECT count(*) AS touched,
    coalesce(sum(step) FILTER (WHERE status = 'pending'), 0) AS pending,
    coalesce(sum(step) FILTER (WHERE status = 'in_progress'), 0) AS in_progress,
    coalesce(sum(step) FILTER (WHERE status = 'completed'), 0) AS completed,
    coalesce(sum(step) FILTER (WHERE status = 'done'), 0) AS done,
    coalesce(sum(step) FILTER (WHERE status = 'canceled'), 0) AS canceled,
    min(id) >> 14 AS first_block, max(id) >> 14 AS last_block
  INTO moved
  FROM (
    SELECT id, status, 1 AS step FROM new_tasks
    UNION ALL
    SELECT id, status, -1 FROM old_tasks
  ) AS steps;
  IF moved.touched = 0 THEN
    RETURN NULL;
  END IF;

  UPDATE tasks_state SET
    generation  = generation + 1,
    pending     = pending + moved.pending,
    in_progress = in_progress + moved.in_progress,
    completed   = completed + moved.completed,
    done        = done + moved.done,
    canceled    = canceled + moved.canceled
  WHERE only_row;

  -- Most changes do not change any count: then nothing is written.
  IF moved.first_block = moved.last_block THEN
    IF (moved.pending, moved.in_progress, moved.completed, moved.done, moved.canceled)
      <> (0, 0, 0, 0, 0) THEN
      UPDATE tasks_blocks SET
        pending     = pending + moved.pending,
        in_progress = in_progress + moved.in_progress,
        completed   = completed + moved.completed,
        done        = done + moved.done,
        canceled    = canceled + moved.canceled
      WHERE block = moved.first_block;
    END IF;
  ELSE
    INSERT INTO tasks_blocks AS counted
    SELECT block, total, pending, in_progress, completed, done, canceled
    FROM (
      SELECT block, sum(step) AS total,
        coalesce(sum(step) FILTER (WHERE status = 'pending'), 0) AS pending,
        coalesce(sum(step) FILTER (WHERE status = 'in_progress'), 0) AS in_progress,
        coalesce(sum(step) FILTER (WHERE status = 'completed'), 0) AS completed,
        coalesce(sum(step) FILTER (WHERE status = 'done'), 0) AS done,
        coalesce(sum(step) FILTER (WHERE status = 'canceled'), 0) AS canceled
      FROM (
        SELECT id >> 14 AS block, status, 1 AS step FROM new_tasks
        UNION ALL
        SELECT id >> 14, status, -1 FROM old_tasks
      ) AS steps
      GROUP BY block
    ) AS moved_there
    WHERE (total, pending, in_progress, completed, done, canceled) <> (0, 0, 0, 0, 0, 0)
    ON CONFLICT (block) DO UPDATE SET
      total       = counted.total + excluded.total,
      pending     = counted.pending + excluded.pending,
      in_progress = counted.in_progress + excluded.in_progress,
      completed   = counted.completed + excluded.completed,
      done        = counted.done + excluded.done,
      canceled    = counted.canceled + excluded.canceled;
  END IF;

  -- Most changes leave the texts as they are: then nothing is queued. No join: the session keeps
  -- the plan, and a plan made for a single task would be far too slow for a million.
  INSERT INTO tasks_unindexed
  SELECT id
  FROM (
    SELECT id, title, description FROM new_tasks
    UNION ALL
    SELECT id, title, description FROM old_tasks
  ) AS both_sides
  GROUP BY id
  HAVING count(*) = 1 -- an id that was added or removed
    OR min(title COLLATE "C") <> max(title COLLATE "C")
    OR min(description COLLATE "C") <> max(description COLLATE "C");
  RETURN NULL;
END $$;

-- Earlier changes of the same transaction are deleted too, with their rows of tasks_steps (section
-- 2).
CREATE FUNCTION tasks_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state SET generation = generation + 1, total = 0, pending = 0, in_progress = 0,
    completed = 0, done = 0, canceled = 0, table_file = pg_relation_filenode('tasks')
  WHERE only_row;
  DELETE FROM tasks_blocks;
  DELETE FROM tasks_steps;
  TRUNCATE tasks_texts, tasks_unindexed;
  RETURN NULL;
END $$;

CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks
  REFERENCING NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_inserted();

CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks
  REFERENCING OLD TABLE AS old_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_deleted();

CREATE TRIGGER tasks_updated AFTER UPDATE ON tasks
  REFERENCING OLD TABLE AS old_tasks NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_updated();

CREATE TRIGGER tasks_truncated AFTER TRUNCATE ON tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_truncated();
-- The only statement trigger that logical replication fires.
ALTER TABLE tasks ENABLE ALWAYS TRIGGER tasks_truncated;

-- 2. Sessions with session_replication_role = replica, and logical replication
--
-- Ordinary triggers do not fire for them, and logical replication applies rows, which fires no
-- statement triggers. So row triggers do the same, only for them (ENABLE REPLICA): each change is
-- counted once, whichever session makes it.
--
-- tasks_steps collects the rows, and they are counted together when the transaction commits.
-- Counted one by one, a large transaction would create a version of the state row for each row.

-- One row for each task that a transaction has added to a count (step 1) or removed from one (step
-- -1). tasks_row_changed writes it and tasks_steps_added deletes it before the commit, so no other
-- transaction ever sees a row. So the table needs no write-ahead log.
CREATE UNLOGGED TABLE tasks_steps (
  place  bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  id     bigint NOT NULL,
  status text NOT NULL,
  step   integer NOT NULL
);

-- It runs with the rights of its owner, like the next one: the applying role needs privileges on
-- tasks only.
CREATE FUNCTION tasks_row_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  -- pg_restore --disable-triggers leaves it enabled for all sessions.
  IF current_setting('session_replication_role') <> 'replica' THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('tasks.are_counted', 'no', true);
  -- One statement: after SET CONSTRAINTS ALL IMMEDIATE each one counts what exists at its end.
  IF TG_OP = 'DELETE' THEN
    INSERT INTO tasks_steps (id, status, step) VALUES (OLD.id, OLD.status, -1);
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO tasks_steps (id, status, step) VALUES (NEW.id, NEW.status, 1);
  ELSE
    INSERT INTO tasks_steps (id, status, step)
    VALUES (OLD.id, OLD.status, -1), (NEW.id, NEW.status, 1);
  END IF;
  IF TG_OP = 'DELETE' THEN
    INSERT INTO tasks_unindexed VALUES (OLD.id);
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO tasks_unindexed VALUES (NEW.id);
  ELSIF NEW.id <> OLD.id THEN
    INSERT INTO tasks_unindexed VALUES (OLD.id), (NEW.id);
  ELSIF NEW.title COLLATE "C" <> OLD.title COLLATE "C"
    OR NEW.description COLLATE "C" <> OLD.description COLLATE "C" THEN
    INSERT INTO tasks_unindexed VALUES (NEW.id);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_steps_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  moved record;
BEGIN
  -- It fires for each row; the first call counts all rows.
  IF current_setting('tasks.are_counted', true) = 'yes' THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('tasks.are_counted', 'yes', true);
  SELECT coalesce(sum(step), 0) AS total,
    coalesce(sum(step) FILTER (WHERE status = 'pending'), 0) AS pending,
    coalesce(sum(step) FILTER (WHERE status = 'in_progress'), 0) AS in_progress,
    coalesce(sum(step) FILTER (WHERE status = 'completed'), 0) AS completed,
    coalesce(sum(step) FILTER (WHERE status = 'done'), 0) AS done,
    coalesce(sum(step) FILTER (WHERE status = 'canceled'), 0) AS canceled
  INTO moved FROM tasks_steps;
  UPDATE tasks_state SET
    generation  = generation + 1,
    total       = total + moved.total,
    pending     = pending + moved.pending,
    in_progress = in_progress + moved.in_progress,
    completed   = completed + moved.completed,
    done        = done + moved.done,
    canceled    = canceled + moved.canceled
  WHERE only_row;
  INSERT INTO tasks_blocks AS counted
  SELECT block, total, pending, in_progress, completed, done, canceled
  FROM (
    SELECT id >> 14 AS block, sum(step) AS total,
      coalesce(sum(step) FILTER (WHERE status = 'pending'), 0) AS pending,
      coalesce(sum(step) FILTER (WHERE status = 'in_progress'), 0) AS in_progress,
      coalesce(sum(step) FILTER (WHERE status = 'completed'), 0) AS completed,
      coalesce(sum(step) FILTER (WHERE status = 'done'), 0) AS done,
      coalesce(sum(step) FILTER (WHERE status = 'canceled'), 0) AS canceled
    FROM tasks_steps GROUP BY 1
  ) AS moved_there
  WHERE (total, pending, in_progress, completed, done, canceled) <> (0, 0, 0, 0, 0, 0)
  ON CONFLICT (block) DO UPDATE SET
    total       = counted.total + excluded.total,
    pending     = counted.pending + excluded.pending,
    in_progress = counted.in_progress + excluded.in_progress,
    completed   = counted.completed + excluded.completed,
    done        = counted.done + excluded.done,
    canceled    = counted.canceled + excluded.canceled;
  DELETE FROM tasks_steps;
  RETURN NULL;
END $$;

CREATE TRIGGER tasks_row_changed AFTER INSERT OR UPDATE OR DELETE ON tasks
  FOR EACH ROW EXECUTE FUNCTION tasks_row_changed();
ALTER TABLE tasks ENABLE REPLICA TRIGGER tasks_row_changed;

-- Deferred to the commit, when all steps of the transaction exist.
CREATE CONSTRAINT TRIGGER tasks_steps_added AFTER INSERT ON tasks_steps
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tasks_steps_added();
ALTER TABLE tasks_steps ENABLE ALWAYS TRIGGER tasks_steps_added;

-- Resolves names in the schema of the tables, whatever the writer's search_path is.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['inserted', 'deleted', 'updated', 'truncated', 'row_changed', 'steps_added'] LOOP
    EXECUTE format('ALTER FUNCTION tasks_%s() SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;

-- 3. Existing tasks
--
-- Tasks exist if this migration was reverted and runs again. Meanwhile nothing was counted or
-- queued.

UPDATE tasks_state SET
  generation  = generation + 1,
  total       = present.total,
  pending     = present.pending,
  in_progress = present.in_progress,
  completed   = present.completed,
  done        = present.done,
  canceled    = present.canceled,
  table_file  = pg_relation_filenode('tasks')
FROM (
  SELECT count(*) AS total,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE status = 'completed') AS completed,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE status = 'canceled') AS canceled
  FROM tasks
) AS present
WHERE only_row;

TRUNCATE tasks_blocks, tasks_texts, tasks_unindexed;

INSERT INTO tasks_blocks
SELECT id >> 14, count(*),
  count(*) FILTER (WHERE status = 'pending'),
  count(*) FILTER (WHERE status = 'in_progress'),
  count(*) FILTER (WHERE status = 'completed'),
  count(*) FILTER (WHERE status = 'done'),
  count(*) FILTER (WHERE status = 'canceled')
FROM tasks GROUP BY 1;

INSERT INTO tasks_unindexed SELECT id FROM tasks ORDER BY id;
