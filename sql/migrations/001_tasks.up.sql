-- Tasks, and one row of state beside them that every change of tasks moves on.

CREATE TABLE tasks (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title       text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 255),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 16384),
  -- 'done' is the Go service's word for 'completed'.
  status      text NOT NULL DEFAULT 'pending'
              CHECK (status IN ('pending', 'in_progress', 'completed', 'done', 'canceled')),
  -- 0 is nobody; the largest is the largest integer that JSON numbers hold exactly.
  assignee_id bigint NOT NULL DEFAULT 0 CHECK (assignee_id BETWEEN 0 AND 9007199254740991),
  version     bigint NOT NULL DEFAULT 1,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  updated_at  timestamptz(3) NOT NULL DEFAULT now()
) WITH (fillfactor = 90); -- room in each page, so that a change of a text stays on it (HOT)

CREATE INDEX tasks_status_id ON tasks (status, id);
CREATE INDEX tasks_assignee_id_id ON tasks (assignee_id, id);

-- Exactly one row. Every write batch updates it, so its page keeps room for many versions and
-- dead ones are cleared early; otherwise each read of it would walk them.
CREATE TABLE tasks_state (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Begins at the microseconds of its making, so that tables that are made anew never come to a
  -- generation which a copy of a list, kept elsewhere, still bears.
  generation  bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  total       bigint NOT NULL DEFAULT 0,
  pending     bigint NOT NULL DEFAULT 0,
  in_progress bigint NOT NULL DEFAULT 0,
  completed   bigint NOT NULL DEFAULT 0,
  done        bigint NOT NULL DEFAULT 0,
  canceled    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

INSERT INTO tasks_state DEFAULT VALUES;

CREATE FUNCTION tasks_state_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'tasks_state keeps its one row' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tasks_state_stays BEFORE DELETE OR TRUNCATE ON tasks_state
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_state_stays();

-- Statement-level triggers with transition tables: one step of the generation for each statement
-- that changed a row, in the writer's own transaction, whoever the writer is. (An INSERT ... ON
-- CONFLICT DO UPDATE that did both counts as two.) The functions' search_path is set below: names
-- are resolved where the tables were made, whatever the writer's search_path is.
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

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['inserted', 'deleted', 'updated', 'truncated'] LOOP
    EXECUTE format('ALTER FUNCTION tasks_count_%s() SET search_path = %I, pg_temp', name, current_schema());
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
