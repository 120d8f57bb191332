-- What the service promises holds wherever it runs and whoever writes:
--
-- 1. The tables take only what the API can say.
-- 2. Texts are compared by a function of our own, the same on every server whatever its locale.
-- 3. Every table has a primary key, so that a publication for all tables stops nobody.
-- 4. Writers for whom ordinary triggers do not fire are counted, too: sessions with
--    session_replication_role = replica, and logical replication into the table.
-- 5. What went by the triggers all the same is repaired by tasks_recount().

-- Nobody changes a task between what is looked at below and the triggers that go on from there.
LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;

-- 1. Values

DO $$
DECLARE
  wrong bigint;
BEGIN
  IF getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'the database % has the encoding %, and the service needs UTF8',
      current_database(), getdatabaseencoding();
  END IF;
  SELECT count(*) INTO wrong FROM tasks
  WHERE NOT (id BETWEEN 1 AND 9007199254740991
    AND least(created_at, updated_at) >= '0001-01-01 00:00:00+00'
    AND greatest(created_at, updated_at) < '10000-01-01 00:00:00+00');
  IF wrong > 0 THEN
    RAISE EXCEPTION '% tasks have what the API cannot say: a time outside of the years 1 to 9999 (UTC), or an id outside of 1 to 2^53-1. Mend them: SELECT id, created_at, updated_at FROM tasks WHERE NOT (id BETWEEN 1 AND 9007199254740991 AND least(created_at, updated_at) >= ''0001-01-01 00:00:00+00'' AND greatest(created_at, updated_at) < ''10000-01-01 00:00:00+00'')', wrong
      USING ERRCODE = 'check_violation';
  END IF;
END $$;

-- RFC 3339 has four digits for the year, and infinity is no time. A JSON number is exact up to 2^53-1.
-- One constraint, because each that a table has costs every statement that writes to it a little.
ALTER TABLE tasks ADD CONSTRAINT tasks_bounds_check CHECK (
  id BETWEEN 1 AND 9007199254740991
  AND least(created_at, updated_at) >= '0001-01-01 00:00:00+00'
  AND greatest(created_at, updated_at) < '10000-01-01 00:00:00+00'
);

-- 2. Texts

-- What is compared when a text is looked for: without case (Unicode simple case mapping), composed
-- (NFC). Two servers differ in letters that are newer than the Unicode of one of them, and in nothing
-- else: test/integration/folding.test.ts compares all code points.
--
-- The collation has the mapping; it is the best that this server has. What collations disagree about
-- is written out: U+0130, the capital I with a dot, and letters whose small form is not that of their
-- capital, such as the final sigma and the long s.
--
-- Three ways, the cheaper ones first: ASCII; texts that NFC leaves alone for sure; all others. The
-- regular expression tells: it matches each character that NFC changes or joins to the one before it,
-- and each pair of marks that it may put in order.
--
-- Not STRICT and without SET, so that the planner writes it into the statement: a search that looks
-- at each task would take several times as long.
DO $outer$
DECLARE
  mapping text;
  changed constant text :=
    '[\u00b5\u017f\u0300-\u0345\u0374\u037e\u0387\u03d0-\u03d6\u03f0-\u03f5\u0653-\u0655\u0958-\u095f' ||
    '\u09dc-\u09df\u0a33-\u0a36\u0a59-\u0a5e\u0b5c\u0b5d\u0f43\u0f4d-\u0f5c\u0f69\u0f73-\u0f78\u0f81' ||
    '\u0f93\u0f9d-\u0fac\u0fb9\u1161-\u1175\u11a8-\u11c2\u1b35\u1c80-\u1c88\u1e9b\u1f71-\u1f7d\u1fbb-' ||
    '\u1fbe\u1fc9-\u1fef\u1ff9-\u2001\u2126-\u212b\u2329\u232a\u2adc\u3099\u309a\uf900-\ufad9\ufb1d-' ||
    '\ufb1f\ufb2a-\ufb4e\U000110ba\U00011127\U0001133e\U00011357\U000113b8-\U000113c9\U000114b0' ||
    '\U000114ba-\U000114bd\U000115af\U00011930\U0001611e-\U00016120\U00016129\U00016d67\U0001d15e-' ||
    '\U0001d164\U0001d1bb-\U0001d1c0\U0002f800-\U0002fa1d]|[\u0928\u0930\u0933\u09c7\u0b47\u0b92' ||
    '\u0bc6\u0bc7\u0c46\u0cbf\u0cc6\u0cca\u0d46\u0d47\u0dd9\u0ddc\u1025][\u093c\u09be\u09d7\u0b3e' ||
    '\u0b56\u0b57\u0bbe\u0bd7\u0c56\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dca\u0dcf\u0ddf\u102e]|[\u0300-' ||
    '\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06e4\u06e7-\u06ed\u0711' ||
    '\u0730-\u074a\u07eb-\u07f3\u07fd\u0816-\u0819\u081b-\u0823\u0825-\u0827\u0829-\u082d\u0859-' ||
    '\u085b\u0897-\u089f\u08ca-\u08ff\u093c\u094d\u0951-\u0954\u09bc\u09cd\u09fe\u0a3c-\u0a4d\u0abc' ||
    '\u0acd\u0b3c\u0b4d\u0bcd\u0c3c\u0c4d-\u0c56\u0cbc\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e38-\u0e3a' ||
    '\u0e48-\u0e4b\u0eb8-\u0eba\u0ec8-\u0ecb\u0f18-\u0f39\u0f71-\u0f87\u0fc6\u1037-\u103a\u108d' ||
    '\u135d-\u135f\u1714\u1715\u1734\u17d2\u17dd\u18a9\u1939-\u193b\u1a17\u1a18\u1a60-\u1a7f\u1ab0-' ||
    '\u1aeb\u1b34-\u1b44\u1b6b-\u1b73\u1baa\u1bab\u1be6-\u1bf3\u1c37\u1cd0-\u1ce8\u1ced\u1cf4\u1cf8' ||
    '\u1cf9\u1dc0-\u1dff\u20d0-\u20f0\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099\u309a\ua66f-' ||
    '\ua67d\ua69e\ua69f\ua6f0\ua6f1\ua806\ua82c\ua8c4-\ua8f1\ua92b-\ua92d\ua953\ua9b3-\ua9c0\uaab0' ||
    '\uaab2-\uaab4\uaab7\uaab8\uaabe\uaabf\uaac1\uaaf6\uabed\ufb1e\ufe20-\ufe2f\U000101fd\U000102e0' ||
    '\U00010376-\U0001037a\U00010a0d-\U00010a0f\U00010a38-\U00010a3f\U00010ae5\U00010ae6\U00010d24-' ||
    '\U00010d27\U00010d69-\U00010d6d\U00010eab\U00010eac\U00010efa-\U00010eff\U00010f46-\U00010f50' ||
    '\U00010f82-\U00010f85\U00011046\U00011070-\U0001107f\U000110b9\U000110ba\U00011100-\U00011102' ||
    '\U00011133\U00011134\U00011173\U000111c0-\U000111ca\U00011235\U00011236\U000112e9\U000112ea' ||
    '\U0001133b-\U00011374\U000113ce-\U000113d0\U00011442-\U0001145e\U000114c2\U000114c3\U000115bf' ||
    '\U000115c0\U0001163f\U000116b6\U000116b7\U0001172b\U00011839\U0001183a\U0001193d-\U00011943' ||
    '\U000119e0\U00011a34-\U00011a47\U00011a99\U00011c3f\U00011d42-\U00011d45\U00011d97\U00011f41' ||
    '\U00011f42\U0001612f\U00016af0-\U00016af4\U00016b30-\U00016b36\U00016ff0\U00016ff1\U0001bc9e' ||
    '\U0001d165-\U0001d1ad\U0001d242-\U0001d244\U0001e000-\U0001e02a\U0001e08f\U0001e130-\U0001e136' ||
    '\U0001e2ae\U0001e2ec-\U0001e2ef\U0001e4ec-\U0001e4ef\U0001e5ee\U0001e5ef\U0001e6e3-\U0001e6f5' ||
    '\U0001e8d0-\U0001e8d6\U0001e944-\U0001e94a]{2}';
BEGIN
  SELECT 'pg_catalog.' || quote_ident(collname) INTO mapping
  FROM pg_collation
  WHERE collnamespace = 'pg_catalog'::regnamespace
    AND collencoding IN (-1, pg_char_to_encoding('UTF8'))
    AND collname IN ('pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8')
  ORDER BY array_position(ARRAY['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8'], collname::text)
  LIMIT 1;
  IF mapping IS NULL THEN
    RAISE EXCEPTION 'the server has no collation that knows the case of letters: it was built without ICU, and its system has no locale C.UTF-8. Install that locale and run SELECT pg_import_system_collations(''pg_catalog'') as a superuser, then migrate again'
      USING ERRCODE = 'feature_not_supported';
  END IF;
  EXECUTE format($function$
    CREATE FUNCTION tasks_fold(x text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
      WHEN octet_length(x) = length(x) THEN lower(x COLLATE "C") COLLATE "C"
      WHEN x COLLATE "C" !~ %1$L THEN
        replace(
          replace(lower(replace(x, U&'\0130', 'i') COLLATE %2$s) COLLATE "C", U&'\03c2', U&'\03c3'),
          U&'\0131', 'i') COLLATE "C"
      ELSE normalize(translate(
          lower(translate(normalize(x, NFC), U&'\0130', 'i') COLLATE %2$s),
          U&'\00b5\0131\017f\0345\03c2\03d0\03d1\03d5\03d6\03f0\03f1\03f5\1c80\1c81\1c82\1c83\1c84\1c85\1c86\1c87\1c88\1e9b\1fbe',
          U&'\03bcis\03b9\03c3\03b2\03b8\03c6\03c0\03ba\03c1\03b5\0432\0434\043e\0441\0442\0442\044a\0463\a64b\1e61\03b9'
        ), NFC) COLLATE "C"
    END $function$, changed, mapping);
END $outer$;

-- The copy for the index holds what is compared. By code point: no locale has a say in it.
TRUNCATE tasks_texts, tasks_unindexed;
DROP INDEX IF EXISTS tasks_texts_trigrams;
ALTER TABLE tasks_texts
  ALTER COLUMN title TYPE text COLLATE "C",
  ALTER COLUMN description TYPE text COLLATE "C";
INSERT INTO tasks_texts SELECT id, tasks_fold(title), tasks_fold(description) FROM tasks ORDER BY id;
DO $$
BEGIN
  EXECUTE format('CREATE INDEX tasks_texts_trigrams ON tasks_texts
    USING gin (title %1$s, description %1$s) WITH (gin_pending_list_limit = 65536)', (
    SELECT quote_ident(nspname) || '.gin_trgm_ops'
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'));
END $$;
ANALYZE tasks_texts;

-- As in 004, where it says why. What it writes is folded, and the queue is read as it lies (section 3).
CREATE OR REPLACE FUNCTION tasks_index_texts(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  number integer;
BEGIN
  LOCK TABLE tasks IN ACCESS SHARE MODE;
  IF NOT pg_try_advisory_xact_lock('tasks_unindexed'::regclass::oid::integer, 0) THEN
    RETURN NULL;
  END IF;
  WITH taken AS (
    DELETE FROM tasks_unindexed
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM tasks_unindexed WHERE ctid >= '(0,0)' LIMIT most))
    RETURNING id
  ), queued AS MATERIALIZED (
    SELECT DISTINCT id FROM taken ORDER BY id
  ), present AS MATERIALIZED (
    SELECT queued.id, task.id IS NOT NULL AS is_there,
      tasks_fold(task.title) AS title, tasks_fold(task.description) AS description
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

-- 3. A key for the queue

-- Writers add at the end, as before. A session takes its numbers by the hundred, so that writers do
-- not meet at the sequence; nobody asks for the order. Whoever reads all of it reads the table as it
-- lies, by a range of ctid: with enable_seqscan = off the planner would go through the key.
--
-- Since when each waits tells whether the indexing keeps up.
ALTER TABLE tasks_unindexed
  ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  ADD COLUMN queued_at timestamptz(0) NOT NULL DEFAULT now();

-- 4. Writers for whom ordinary triggers do not fire

-- The statement triggers of 005 fire for ordinary sessions. Where session_replication_role is replica,
-- only the row trigger below does: logical replication applies rows, and fires no trigger of a
-- statement for them, but for TRUNCATE. So each change is counted once, whoever makes it.
--
-- Rows are gathered and counted together when their transaction commits: counted one by one, a large
-- transaction would leave a version of the one row of state for each. Nobody else ever sees one.
CREATE UNLOGGED TABLE tasks_steps (
  place  bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  id     bigint NOT NULL,
  status text NOT NULL,
  step   integer NOT NULL
);

CREATE FUNCTION tasks_row_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  -- pg_restore --disable-triggers leaves it enabled for everybody.
  IF current_setting('session_replication_role') <> 'replica' THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('tasks.are_counted', 'no', true);
  -- One statement: after SET CONSTRAINTS ALL IMMEDIATE each counts what there is at its end.
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
  -- It fires for each row, and the first time counts all.
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

-- The file of the table when its counts were last known to be right: ALTER TABLE ... USING writes the
-- table anew, into another file, and fires no trigger.
ALTER TABLE tasks_state ADD COLUMN table_file oid NOT NULL DEFAULT 0;
UPDATE tasks_state SET table_file = pg_relation_filenode('tasks');

-- What the same transaction changed before is gone, and its steps with it.
CREATE OR REPLACE FUNCTION tasks_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasks_state SET generation = generation + 1, total = 0, pending = 0, in_progress = 0,
    completed = 0, done = 0, canceled = 0, table_file = pg_relation_filenode('tasks')
  WHERE only_row;
  DELETE FROM tasks_blocks;
  DELETE FROM tasks_steps;
  TRUNCATE tasks_texts, tasks_unindexed;
  RETURN NULL;
END $$;

CREATE TRIGGER tasks_row_changed AFTER INSERT OR UPDATE OR DELETE ON tasks
  FOR EACH ROW EXECUTE FUNCTION tasks_row_changed();
CREATE CONSTRAINT TRIGGER tasks_steps_added AFTER INSERT ON tasks_steps
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tasks_steps_added();

-- 5. Repair

-- Triggers of ours that are missing, or do not fire for whom they should. `wanted` and `present` are
-- as in pg_trigger.tgenabled: O ordinary sessions, R those of replication, A all, D nobody.
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

-- Enables our triggers, queues the tasks whose texts the index does not have, counts all tasks anew
-- and steps the generation. Says what was wrong.
--
-- Writers wait while tasks are counted. The texts are compared before that, because it takes longer;
-- but where a trigger was off, nobody may go by it meanwhile.
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

-- Names are resolved where the tables were made, whatever the caller's search_path is.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tasks_index_texts(integer)', 'tasks_row_changed()',
    'tasks_steps_added()', 'tasks_truncated()', 'tasks_triggers_amiss()', 'tasks_mend_triggers()',
    'tasks_recount()'] LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
  END LOOP;
END $$;
ALTER FUNCTION tasks_index_texts(integer) SET enable_seqscan = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_hashjoin = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_mergejoin = off;
ALTER FUNCTION tasks_index_texts(integer) SET maintenance_work_mem = '64MB';

SELECT tasks_mend_triggers();
