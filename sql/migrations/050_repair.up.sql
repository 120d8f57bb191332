-- Functions that find and repair what the triggers of 040 missed: an owner can disable the
-- triggers, load a dump without them, or rewrite the table with ALTER TABLE ... USING.
--
-- Callers: the service checks once a minute (src/database/maintenance/definition-watch.ts), and
-- repairs if its role owns the tables; `make db-recount` repairs at once.

-- The triggers of this service that are missing or do not fire for the right sessions. `wanted` and
-- `present` are values of pg_trigger.tgenabled: O ordinary sessions, R replication, A all, D none.
CREATE FUNCTION tasks_triggers_amiss()
RETURNS TABLE (relation text, name text, wanted "char", present "char") LANGUAGE sql STABLE AS $$
  SELECT expected.relation, expected.name, expected.wanted, tgenabled
  FROM (VALUES
    ('tasks', 'tasks_inserted', 'O'::"char"),
    ('tasks', 'tasks_updated', 'O'),
    ('tasks', 'tasks_deleted', 'O'),
    ('tasks', 'tasks_truncated', 'A'),
    ('tasks', 'tasks_row_changed', 'R'),
    ('tasks_steps', 'tasks_steps_added', 'A'),
    ('tasks_state', 'tasks_state_stays', 'A')
  ) AS expected (relation, name, wanted)
  LEFT JOIN pg_trigger ON tgrelid = to_regclass(expected.relation) AND tgname = expected.name
    AND NOT tgisinternal
  WHERE tgenabled IS DISTINCT FROM expected.wanted
$$;

-- Makes each trigger fire for the right sessions again. Returns the number of wrong ones.
CREATE FUNCTION tasks_mend_triggers() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  amiss record;
  mended integer := 0;
BEGIN
  FOR amiss IN SELECT * FROM tasks_triggers_amiss() LOOP
    IF amiss.present IS NULL THEN
      RAISE EXCEPTION 'the trigger % of % is missing: take the migrations back to the one that made it, and run them again',
        amiss.name, amiss.relation;
    END IF;
    EXECUTE format('ALTER TABLE %I ENABLE %s TRIGGER %I', amiss.relation,
      CASE amiss.wanted WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, amiss.name);
    mended := mended + 1;
  END LOOP;
  RETURN mended;
END $$;

-- Repairs everything: enables the triggers, queues tasks whose texts the index lacks, counts all
-- tasks again, and advances the generation. Returns what was wrong.
--
-- Writers wait during the count. The comparison of texts comes before that, because it takes
-- longer. If a trigger was disabled, writers wait from the start, so that no write misses the
-- triggers.
CREATE FUNCTION tasks_recount(
  OUT all_tasks bigint, OUT wrong_triggers integer, OUT wrong_counts integer,
  OUT wrong_blocks bigint, OUT queued_texts bigint, OUT was_rewritten boolean
) LANGUAGE plpgsql AS $$
DECLARE
  present record;
BEGIN
  IF EXISTS (SELECT FROM tasks_triggers_amiss()) THEN
    LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
  END IF;
  wrong_triggers := tasks_mend_triggers();

  INSERT INTO tasks_unindexed
  SELECT id FROM tasks AS task FULL JOIN tasks_texts AS known USING (id)
  WHERE (tasks_fold(task.title) COLLATE "C" = known.title
    AND tasks_fold(task.description) COLLATE "C" = known.description) IS NOT TRUE
  EXCEPT SELECT id FROM tasks_unindexed;
  GET DIAGNOSTICS queued_texts = ROW_COUNT;

  LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM tasks_steps;
  CREATE TEMPORARY TABLE tasks_recounted ON COMMIT DROP AS
  SELECT id >> 14 AS block, count(*) AS total,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE status = 'completed') AS completed,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) FILTER (WHERE status = 'canceled') AS canceled
  FROM tasks GROUP BY 1;

  SELECT coalesce(sum(total), 0) AS total, coalesce(sum(pending), 0) AS pending,
    coalesce(sum(in_progress), 0) AS in_progress, coalesce(sum(completed), 0) AS completed,
    coalesce(sum(done), 0) AS done, coalesce(sum(canceled), 0) AS canceled
  INTO present FROM pg_temp.tasks_recounted;
  SELECT (state.total <> present.total)::integer + (state.pending <> present.pending)::integer
    + (state.in_progress <> present.in_progress)::integer
    + (state.completed <> present.completed)::integer + (state.done <> present.done)::integer
    + (state.canceled <> present.canceled)::integer,
    state.table_file <> pg_relation_filenode('tasks')
  INTO wrong_counts, was_rewritten FROM tasks_state AS state WHERE only_row;
  SELECT count(*) INTO wrong_blocks
  FROM pg_temp.tasks_recounted AS now_there FULL JOIN tasks_blocks AS counted USING (block)
  WHERE (coalesce(now_there.total, 0), coalesce(now_there.pending, 0),
      coalesce(now_there.in_progress, 0), coalesce(now_there.completed, 0),
      coalesce(now_there.done, 0), coalesce(now_there.canceled, 0))
    <> (coalesce(counted.total, 0), coalesce(counted.pending, 0), coalesce(counted.in_progress, 0),
      coalesce(counted.completed, 0), coalesce(counted.done, 0), coalesce(counted.canceled, 0));
  all_tasks := present.total;

  UPDATE tasks_state SET
    generation  = generation + 1,
    total       = present.total,
    pending     = present.pending,
    in_progress = present.in_progress,
    completed   = present.completed,
    done        = present.done,
    canceled    = present.canceled,
    table_file  = pg_relation_filenode('tasks')
  WHERE only_row;
  DELETE FROM tasks_blocks;
  INSERT INTO tasks_blocks
  SELECT block, total, pending, in_progress, completed, done, canceled
  FROM pg_temp.tasks_recounted;
  DROP TABLE pg_temp.tasks_recounted;
END $$;

-- Resolves names in the schema of the tables, whatever the caller's search_path is.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['triggers_amiss', 'mend_triggers', 'recount'] LOOP
    EXECUTE format('ALTER FUNCTION tasks_%s() SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;
