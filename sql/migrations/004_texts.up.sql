-- The index of texts moves out of the way of writers. It stands on a table of its own, which is
-- brought up to date behind the writes; until then a task's id stands in a queue, and searches look
-- at the tasks of the queue as well. For every snapshot holds:
--
--   a task's present title and description are in tasks_texts, or its id is in tasks_unindexed.
--
-- tasks_texts may also have texts of tasks that are gone; their ids are in the queue, too.

-- Nobody changes a task between the copying below and the triggers that go on from there.
LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE tasks_texts (
  id          bigint NOT NULL,
  title       text NOT NULL,
  description text NOT NULL
);

-- Append-only for writers, who pay for no index here. Every search reads all of it, so dead rows are
-- cleared early, by whoever empties it and by autovacuum.
CREATE TABLE tasks_unindexed (
  id bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

INSERT INTO tasks_texts SELECT id, title, description FROM tasks ORDER BY id;
ALTER TABLE tasks_texts ADD PRIMARY KEY (id);
-- A batch of tasks_index_texts stays below the limit, so that nothing is merged into the index
-- before the batch is complete: that is several times cheaper than little by little.
DO $$
BEGIN
  EXECUTE format('CREATE INDEX tasks_texts_trigrams ON tasks_texts
    USING gin (title %1$s, description %1$s) WITH (gin_pending_list_limit = 65536)', (
    SELECT quote_ident(nspname) || '.gin_trgm_ops'
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'));
END $$;
-- Who never searched for texts may have dropped it.
DROP INDEX IF EXISTS tasks_text;
ANALYZE tasks_texts;

-- They fire after those of tasks_state and tasks_blocks, in the order of their names.
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

-- Most changes leave the texts as they are: then nothing is queued. No join: its plan is kept by the
-- session, and one that was made for a single task would never come to an end with a million.
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

-- Takes up to `most` ids from the queue and brings the texts of their tasks up to date. Returns how
-- many it took; NULL, if somebody else is at it.
--
-- What keeps the promise above, while others write:
--
-- * One at a time, and the lock comes before the snapshot: each statement of this function has a
--   snapshot of its own (READ COMMITTED), taken after everything that the one before us has done. With
--   an older one, texts that are newer could be overwritten by older ones after their id was taken.
-- * The rest is one statement with one snapshot S. A writer that S sees: its id is taken, and what it
--   wrote is copied. A writer that S does not see: its row of the queue is not seen either and stays,
--   so whatever was copied here, its task is looked at by searches and copied again later.
-- * Whoever sees what we did has a later snapshot than S, so it sees every writer that S saw, and of
--   all others the row in the queue. Whoever does not see it, sees the queue as it was.
--
-- tasks is locked first, as by TRUNCATE and by searches, so that no two wait for each other.
--
-- It runs with the rights of its owner, because only that one may merge the index's pending list.
CREATE FUNCTION tasks_index_texts(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
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
  FOREACH name IN ARRAY ARRAY['tasks_text_inserted()', 'tasks_text_deleted()', 'tasks_text_updated()',
    'tasks_text_truncated()', 'tasks_index_texts(integer)'] LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;

-- A session keeps its plans, and one that was made while the tables were small must not read all of
-- them later: tasks and texts are looked up by id, whatever the statistics say.
ALTER FUNCTION tasks_index_texts(integer) SET enable_seqscan = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_hashjoin = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_mergejoin = off;
-- The pending list of a batch is sorted in it.
ALTER FUNCTION tasks_index_texts(integer) SET maintenance_work_mem = '64MB';

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
