-- Searches: how texts are compared, and a copy of the tasks' texts with a trigram index.
--
-- The copy is updated in the background, so that writers do not pay for the index (ADR 13). Until
-- then the id of a task is in a queue, and searches also scan the tasks of the queue. The invariant
-- for every snapshot:
--
--   the current title and description of a task are in tasks_texts, or its id is in tasks_unindexed.

-- pg_trgm is a trusted extension since PostgreSQL 13: the CREATE privilege on the database is
-- enough.
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

-- tasks_fold: the form in which texts are compared. It ignores case (Unicode simple case mapping),
-- is composed (NFC), and is the same on every server whatever its locale. Two servers differ only
-- in letters newer than the Unicode version of one of them: test/integration/folding.test.ts
-- compares all code points.
--
-- The collation has the case mapping; the function uses the best one of this server. Where
-- collations differ, the mapping is explicit: U+0130 (capital I with a dot), and letters whose
-- lower case is not that of their capital, such as the final sigma and the long s.
--
-- Three branches, the cheaper ones first: ASCII; texts that NFC certainly does not change; all
-- others. The regular expression decides between the last two: it matches each character that NFC
-- changes or joins to the previous one, and each pair of marks that NFC may reorder.
--
-- Not STRICT and without SET, so that the planner can inline it: otherwise a search that scans the
-- tasks would take several times as long.
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

-- The title and description of each task, folded, for searches. tasks_index_texts writes it, and
-- TRUNCATE of tasks empties it. It may also have texts of deleted tasks; their ids are in the queue
-- too. By code point, independent of the locale.
CREATE TABLE tasks_texts (
  id          bigint PRIMARY KEY,
  title       text COLLATE "C" NOT NULL,
  description text COLLATE "C" NOT NULL
);

-- The extension may be in a schema outside the search path.
--
-- A batch of tasks_index_texts stays below the limit of the pending list, so that the index merges
-- it only once, at the end. That is several times cheaper than merging it in pieces.
DO $$
BEGIN
  EXECUTE format('CREATE INDEX tasks_texts_trigrams ON tasks_texts
    USING gin (title %1$s, description %1$s) WITH (gin_pending_list_limit = 65536)', (
    SELECT quote_ident(nspname) || '.gin_trgm_ops'
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'));
END $$;

-- The queue: ids of tasks whose texts are not in the copy yet. The triggers of 040 append to it in
-- the writer's transaction; tasks_index_texts removes ids some seconds later. An id may be in it
-- several times. Every search scans the whole queue, so dead rows are removed early, by autovacuum
-- and by the service, which vacuums it after each 10000 rows.
CREATE TABLE tasks_unindexed (
  id        bigint NOT NULL,
  -- Logical replication needs a key for every published table. The order does not matter, so a
  -- session caches a hundred numbers, and writers do not contend for the sequence.
  place     bigint GENERATED ALWAYS AS IDENTITY (CACHE 100) PRIMARY KEY,
  -- Shows whether the indexing keeps up with the writes.
  queued_at timestamptz(0) NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Takes up to `most` ids from the queue and updates the texts of their tasks. Returns the number of
-- ids taken; NULL if another session is indexing. The service calls it
-- (src/database/maintenance/text-indexer.ts).
--
-- Why the invariant at the top of this file holds during concurrent writes:
--
-- * One session at a time, and the lock comes before the snapshot: each statement of this function has
--   its own snapshot (READ COMMITTED), taken after all work of the previous session. With an older
--   snapshot, newer texts could be overwritten by older ones after their id was taken.
-- * The rest is one statement with one snapshot S. A writer visible in S: its id is taken, and its
--   texts are copied. A writer not visible in S: its queue row is not visible either, so the row stays.
--   Whatever was copied here, searches scan that task, and it is copied again later.
-- * A transaction that sees the result has a later snapshot than S. It sees every writer visible in S,
--   and the queue rows of all others. A transaction that does not see it sees the queue as it was.
--
-- It locks tasks first, as TRUNCATE and searches do, so that they cannot deadlock.
--
-- It reads the queue in physical order, by a range of ctid: with enable_seqscan = off (below) the
-- planner would use the key.
--
-- It runs with the rights of its owner, because only the owner may merge the pending list of the
-- index.
CREATE FUNCTION tasks_index_texts(most integer) RETURNS integer
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

-- Resolves names in the schema of the tables, whatever the caller's search_path is.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION tasks_index_texts(integer) SET search_path = %I, pg_temp', current_schema());
END $$;
-- A session keeps its plans, and a plan made while the tables were small must not scan all of them
-- later: tasks and texts are looked up by id, whatever the statistics say.
ALTER FUNCTION tasks_index_texts(integer) SET enable_seqscan = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_hashjoin = off;
ALTER FUNCTION tasks_index_texts(integer) SET enable_mergejoin = off;
-- The memory to sort the pending list of a batch.
ALTER FUNCTION tasks_index_texts(integer) SET maintenance_work_mem = '64MB';
