CREATE OR REPLACE FUNCTION tasks_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION tasks_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION tasks_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- Replacing a function takes its settings away.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['inserted', 'deleted', 'updated'] LOOP
    EXECUTE format('ALTER FUNCTION tasks_count_%s() SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;
