LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
DROP FUNCTION tasks_recount();
DROP FUNCTION tasks_mend_triggers();
DROP FUNCTION tasks_triggers_amiss();
ALTER TABLE tasks_state DROP COLUMN table_file;
DROP TRIGGER tasks_row_changed ON tasks;
DROP FUNCTION tasks_row_changed();
DROP TABLE tasks_steps;
DROP FUNCTION tasks_steps_added();
ALTER TABLE tasks ENABLE TRIGGER tasks_truncated;
ALTER TABLE tasks_state ENABLE TRIGGER tasks_state_stays;

CREATE OR REPLACE FUNCTION tasks_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state SET generation = generation + 1, total = 0, pending = 0, in_progress = 0,
    completed = 0, done = 0, canceled = 0
  WHERE only_row;
  DELETE FROM tasks_blocks;
  TRUNCATE tasks_texts, tasks_unindexed;
  RETURN NULL;
END $$;

ALTER TABLE tasks_unindexed DROP COLUMN place, DROP COLUMN queued_at;
TRUNCATE tasks_texts, tasks_unindexed;
DROP INDEX IF EXISTS tasks_texts_trigrams;
ALTER TABLE tasks_texts
  ALTER COLUMN title TYPE text COLLATE "default",
  ALTER COLUMN description TYPE text COLLATE "default";
INSERT INTO tasks_texts SELECT id, title, description FROM tasks ORDER BY id;
DO $$
BEGIN
  EXECUTE format('CREATE INDEX tasks_texts_trigrams ON tasks_texts
    USING gin (title %1$s, description %1$s) WITH (gin_pending_list_limit = 65536)', (
    SELECT quote_ident(nspname) || '.gin_trgm_ops'
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'));
END $$;
ANALYZE tasks_texts;

CREATE OR REPLACE FUNCTION tasks_index_texts(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  number integer;
BEGIN
  LOCK TABLE tasks IN ACCESS SHARE MODE;
  IF NOT pg_try_advisory_xact_lock('tasks_unindexed'::regclass::oid::integer, 0) THEN
    RETURN NULL;
  END IF;
  WITH taken AS (
    DELETE FROM tasks_unindexed
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM tasks_unindexed LIMIT most))
    RETURNING id
  ), queued AS MATERIALIZED (
    SELECT DISTINCT id FROM taken ORDER BY id
  ), present AS MATERIALIZED (
    SELECT queued.id, task.id IS NOT NULL AS is_there, task.title, task.description
    FROM queued LEFT JOIN tasks AS task ON task.id = queued.id
  ), written AS (
    INSERT INTO tasks_texts AS known
    SELECT id, title, description FROM present WHERE is_there
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, description = excluded.description
    WHERE (known.title, known.description) <> (excluded.title, excluded.description)
  ), forgotten AS (
    DELETE FROM tasks_texts AS known USING present
    WHERE known.id = present.id AND NOT present.is_there
  )
  SELECT count(*) INTO number FROM taken;
  IF number > 0 THEN
    PERFORM gin_clean_pending_list(indexrelid)
    FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE indrelid = 'tasks_texts'::regclass AND indisready AND amname = 'gin';
  END IF;
  RETURN number;
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tasks_truncated()', 'tasks_index_texts(integer)'] LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;
ALTER FUNCTION tasks_index_texts(integer) SET enable_seqscan = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_hashjoin = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_mergejoin = off;
ALTER FUNCTION tasks_index_texts(integer) SET maintenance_work_mem = '64MB';

DROP FUNCTION tasks_fold(text);
ALTER TABLE tasks DROP CONSTRAINT tasks_bounds_check;
