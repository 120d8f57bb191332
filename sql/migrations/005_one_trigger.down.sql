DROP TRIGGER tasks_inserted ON tasks;
DROP TRIGGER tasks_deleted ON tasks;
DROP TRIGGER tasks_updated ON tasks;
DROP TRIGGER tasks_truncated ON tasks;
DROP FUNCTION tasks_inserted();
DROP FUNCTION tasks_deleted();
DROP FUNCTION tasks_updated();
DROP FUNCTION tasks_truncated();

CREATE FUNCTION tasks_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state AS state SET
    generation  = state.generation + 1,
    total       = state.total + added.total,
    pending     = state.pending + added.pending,
    in_progress = state.in_progress + added.in_progress,
    completed   = state.completed + added.completed,
    done        = state.done + added.done,
    canceled    = state.canceled + added.canceled
  FROM (
    SELECT count(*) AS total,
      count(*) FILTER (WHERE status = 'pending') AS pending,
      count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
      count(*) FILTER (WHERE status = 'completed') AS completed,
      count(*) FILTER (WHERE status = 'done') AS done,
      count(*) FILTER (WHERE status = 'canceled') AS canceled
    FROM new_tasks
  ) AS added
  WHERE added.total > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state AS state SET
    generation  = state.generation + 1,
    total       = state.total - gone.total,
    pending     = state.pending - gone.pending,
    in_progress = state.in_progress - gone.in_progress,
    completed   = state.completed - gone.completed,
    done        = state.done - gone.done,
    canceled    = state.canceled - gone.canceled
  FROM (
    SELECT count(*) AS total,
      count(*) FILTER (WHERE status = 'pending') AS pending,
      count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
      count(*) FILTER (WHERE status = 'completed') AS completed,
      count(*) FILTER (WHERE status = 'done') AS done,
      count(*) FILTER (WHERE status = 'canceled') AS canceled
    FROM old_tasks
  ) AS gone
  WHERE gone.total > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state AS state SET
    generation  = state.generation + 1,
    pending     = state.pending + moved.pending,
    in_progress = state.in_progress + moved.in_progress,
    completed   = state.completed + moved.completed,
    done        = state.done + moved.done,
    canceled    = state.canceled + moved.canceled
  FROM (
    SELECT count(*) AS touched,
      coalesce(sum(step) FILTER (WHERE status = 'pending'), 0) AS pending,
      coalesce(sum(step) FILTER (WHERE status = 'in_progress'), 0) AS in_progress,
      coalesce(sum(step) FILTER (WHERE status = 'completed'), 0) AS completed,
      coalesce(sum(step) FILTER (WHERE status = 'done'), 0) AS done,
      coalesce(sum(step) FILTER (WHERE status = 'canceled'), 0) AS canceled
    FROM (
      SELECT status, 1 AS step FROM new_tasks
      UNION ALL
      SELECT status, -1 AS step FROM old_tasks
    ) AS steps
  ) AS moved
  WHERE moved.touched > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_count_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state SET generation = generation + 1, total = 0, pending = 0, in_progress = 0,
    completed = 0, done = 0, canceled = 0;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_block_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_block_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_blocks AS counted SET
    total       = counted.total - gone.total,
    pending     = counted.pending - gone.pending,
    in_progress = counted.in_progress - gone.in_progress,
    completed   = counted.completed - gone.completed,
    done        = counted.done - gone.done,
    canceled    = counted.canceled - gone.canceled
  FROM (
    SELECT id >> 14 AS block, count(*) AS total,
      count(*) FILTER (WHERE status = 'pending') AS pending,
      count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
      count(*) FILTER (WHERE status = 'completed') AS completed,
      count(*) FILTER (WHERE status = 'done') AS done,
      count(*) FILTER (WHERE status = 'canceled') AS canceled
    FROM old_tasks GROUP BY 1
  ) AS gone
  WHERE counted.block = gone.block;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_block_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
  ) AS moved
  WHERE (total, pending, in_progress, completed, done, canceled) <> (0, 0, 0, 0, 0, 0)
  ON CONFLICT (block) DO UPDATE SET
    total       = counted.total + excluded.total,
    pending     = counted.pending + excluded.pending,
    in_progress = counted.in_progress + excluded.in_progress,
    completed   = counted.completed + excluded.completed,
    done        = counted.done + excluded.done,
    canceled    = counted.canceled + excluded.canceled;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_block_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tasks_blocks;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_text_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tasks_unindexed SELECT id FROM new_tasks;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_text_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tasks_unindexed SELECT id FROM old_tasks;
  RETURN NULL;
END $$;

CREATE FUNCTION tasks_text_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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

CREATE FUNCTION tasks_text_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE tasks_texts, tasks_unindexed;
  RETURN NULL;
END $$;

DO $$
DECLARE
  event text;
  what text;
BEGIN
  FOREACH event IN ARRAY ARRAY['inserted', 'deleted', 'updated', 'truncated'] LOOP
    FOREACH what IN ARRAY ARRAY['count', 'block', 'text'] LOOP
      EXECUTE format('ALTER FUNCTION tasks_%s_%s() SET search_path = %I, pg_temp', what, event,
        current_schema());
    END LOOP;
  END LOOP;
END $$;

CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks
  REFERENCING NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_count_inserted();

CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks
  REFERENCING OLD TABLE AS old_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_count_deleted();

CREATE TRIGGER tasks_updated AFTER UPDATE ON tasks
  REFERENCING OLD TABLE AS old_tasks NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_count_updated();

CREATE TRIGGER tasks_truncated AFTER TRUNCATE ON tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_count_truncated();

CREATE TRIGGER tasks_inserted_blocks AFTER INSERT ON tasks
  REFERENCING NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_block_inserted();

CREATE TRIGGER tasks_deleted_blocks AFTER DELETE ON tasks
  REFERENCING OLD TABLE AS old_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_block_deleted();

CREATE TRIGGER tasks_updated_blocks AFTER UPDATE ON tasks
  REFERENCING OLD TABLE AS old_tasks NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_block_updated();

CREATE TRIGGER tasks_truncated_blocks AFTER TRUNCATE ON tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_block_truncated();

CREATE TRIGGER tasks_inserted_texts AFTER INSERT ON tasks
  REFERENCING NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_text_inserted();

CREATE TRIGGER tasks_deleted_texts AFTER DELETE ON tasks
  REFERENCING OLD TABLE AS old_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_text_deleted();

CREATE TRIGGER tasks_updated_texts AFTER UPDATE ON tasks
  REFERENCING OLD TABLE AS old_tasks NEW TABLE AS new_tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_text_updated();

CREATE TRIGGER tasks_truncated_texts AFTER TRUNCATE ON tasks
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_text_truncated();
