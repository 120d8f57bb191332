-- What lists need to be as fast on ten million tasks as on a thousand: an index for each sort
-- order, one for texts, and counts that say where a page deep inside begins.

-- Trusted since PostgreSQL 13: whoever may create in the database may create it.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role % may not create the extension pg_trgm: have an administrator run CREATE EXTENSION pg_trgm in the database %, then migrate again',
      current_user, current_database() USING ERRCODE = 'insufficient_privilege';
  WHEN undefined_file OR feature_not_supported THEN
    RAISE EXCEPTION 'the server does not have the extension pg_trgm: install the contrib modules of its PostgreSQL, then migrate again'
      USING ERRCODE = 'feature_not_supported';
END $$;

-- Nobody changes a task between the counting below and the triggers that go on from there.
LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;

-- By code point: the same order on every server, whatever its locale.
CREATE INDEX tasks_title_id ON tasks (title COLLATE "C", id);
CREATE INDEX tasks_created_at_id ON tasks (created_at, id);
CREATE INDEX tasks_updated_at_id ON tasks (updated_at, id);
-- The extension may live in a schema that the search path does not have.
DO $$
BEGIN
  EXECUTE format('CREATE INDEX tasks_text ON tasks USING gin (title %1$s, description %1$s)', (
    SELECT quote_ident(nspname) || '.gin_trgm_ops'
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'));
END $$;

-- How many tasks each run of 16384 ids has, altogether and of each status. A page of a list in the
-- order of ids is found by adding these up instead of walking over every task before it.
CREATE TABLE tasks_blocks (
  block       bigint PRIMARY KEY, -- id >> 14
  total       bigint NOT NULL,
  pending     bigint NOT NULL,
  in_progress bigint NOT NULL,
  completed   bigint NOT NULL,
  done        bigint NOT NULL,
  canceled    bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

INSERT INTO tasks_blocks
SELECT id >> 14, count(*),
  count(*) FILTER (WHERE status = 'pending'),
  count(*) FILTER (WHERE status = 'in_progress'),
  count(*) FILTER (WHERE status = 'completed'),
  count(*) FILTER (WHERE status = 'done'),
  count(*) FILTER (WHERE status = 'canceled')
FROM tasks GROUP BY 1;

-- Triggers of one event fire in the order of their names: those of tasks_state first. So whoever
-- comes to a block holds the row of tasks_state already, and no two wait for each other here.
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

-- Most changes move no task from one count to another: then nothing is written.
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

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['inserted', 'deleted', 'updated', 'truncated'] LOOP
    EXECUTE format('ALTER FUNCTION tasks_block_%s() SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;

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
