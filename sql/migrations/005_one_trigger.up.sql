-- One trigger for each event in the place of three. What they keep is the same (001, 002, 004), and what
-- holds in every snapshot is, too; a lone write takes a fifth less:
--
-- * The table of the one row of state grows to some hundred pages when something holds old snapshots
--   while tasks are written. The row is found by its key, where all pages were read.
-- * Rows are counted once. Where all of a statement are in one block, as with a lone write, those
--   counts are the block's.
--
-- The row of tasks_state comes first: whoever is at a block or at the queue holds it, so no two wait for
-- each other there.

DROP TRIGGER tasks_inserted ON tasks;
DROP TRIGGER tasks_inserted_blocks ON tasks;
DROP TRIGGER tasks_inserted_texts ON tasks;
DROP TRIGGER tasks_deleted ON tasks;
DROP TRIGGER tasks_deleted_blocks ON tasks;
DROP TRIGGER tasks_deleted_texts ON tasks;
DROP TRIGGER tasks_updated ON tasks;
DROP TRIGGER tasks_updated_blocks ON tasks;
DROP TRIGGER tasks_updated_texts ON tasks;
DROP TRIGGER tasks_truncated ON tasks;
DROP TRIGGER tasks_truncated_blocks ON tasks;
DROP TRIGGER tasks_truncated_texts ON tasks;
DROP FUNCTION tasks_count_inserted();
DROP FUNCTION tasks_count_deleted();
DROP FUNCTION tasks_count_updated();
DROP FUNCTION tasks_count_truncated();
DROP FUNCTION tasks_block_inserted();
DROP FUNCTION tasks_block_deleted();
DROP FUNCTION tasks_block_updated();
DROP FUNCTION tasks_block_truncated();
DROP FUNCTION tasks_text_inserted();
DROP FUNCTION tasks_text_deleted();
DROP FUNCTION tasks_text_updated();
DROP FUNCTION tasks_text_truncated();

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

  -- Most changes move no task from one count to another: then nothing is written.
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

  -- Most changes leave the texts as they are: then nothing is queued. No join: its plan is kept by the
  -- session, and one that was made for a single task would never come to an end with a million.
  INSERT INTO tasks_unindexed
  SELECT id
  FROM (
    SELECT id, title, description FROM new_tasks
    UNION ALL
    SELECT id, title, description FROM old_tasks
  ) AS both_sides
  GROUP BY id
  HAVING count(*) = 1 -- an id that has come or gone
    OR min(title COLLATE "C") <> max(title COLLATE "C")
    OR min(description COLLATE "C") <> max(description COLLATE "C");
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state SET generation = generation + 1, total = 0, pending = 0, in_progress = 0,
    completed = 0, done = 0, canceled = 0
  WHERE only_row;
  DELETE FROM tasks_blocks;
  TRUNCATE tasks_texts, tasks_unindexed;
  RETURN NULL;
END $$;

-- Names are resolved where the tables were made, whatever the writer's search_path is.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['inserted', 'deleted', 'updated', 'truncated'] LOOP
    EXECUTE format('ALTER FUNCTION tasks_%s() SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
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
