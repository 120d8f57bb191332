-- Takes the tasks of a table that GORM made into the tables of this service. One transaction: all of
-- it happens, or nothing. Run it with psql against the database that this service has migrated:
--
--   psql "$DATABASE" --set=ON_ERROR_STOP=1 --file=docs/migrating-from-go.sql
--
-- The old table must not be called public.tasks any more: docs/migrating-from-go.md says why, and what
-- to do before. What does not fit stops it here, with its ids, before anything is written.

BEGIN;

-- Nobody writes to either table meanwhile; reading goes on.
LOCK TABLE tasks_of_go IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;

-- GORM has it where rows are removed softly; those stay behind.
ALTER TABLE tasks_of_go ADD COLUMN IF NOT EXISTS deleted_at timestamptz;

DO $$
DECLARE
  faults text;
BEGIN
  IF EXISTS (SELECT FROM tasks) THEN
    RAISE EXCEPTION 'tasks is not empty: ids would meet';
  END IF;
  SELECT string_agg(format('task %s: %s', id, fault), E'\n' ORDER BY id) INTO faults FROM (
    SELECT id, concat_ws(', ',
      CASE WHEN id < 1 OR id > 9007199254740991 THEN 'its id is not between 1 and 2^53-1' END,
      CASE WHEN coalesce(title, '') !~ '\S' THEN 'its title is blank' END,
      CASE WHEN char_length(title) > 255 THEN 'its title is longer than 255' END,
      CASE WHEN char_length(description) > 16384 THEN 'its description is longer than 16384' END,
      CASE WHEN coalesce(nullif(status, ''), 'pending')
        NOT IN ('pending', 'in_progress', 'completed', 'done', 'canceled')
        THEN format('its status is %L', status) END,
      CASE WHEN assignee_id NOT BETWEEN 0 AND 9007199254740991
        THEN 'its assignee is not between 0 and 2^53-1' END,
      CASE WHEN NOT (created_at >= '0001-01-01 00:00:00+00' AND created_at < '10000-01-01 00:00:00+00')
        THEN 'its created_at is not in the years 1 to 9999' END,
      CASE WHEN NOT (updated_at >= '0001-01-01 00:00:00+00' AND updated_at < '10000-01-01 00:00:00+00')
        THEN 'its updated_at is not in the years 1 to 9999' END
    ) AS fault
    FROM tasks_of_go
    WHERE deleted_at IS NULL
  ) AS looked_at
  WHERE fault <> '';
  IF faults IS NOT NULL THEN
    RAISE EXCEPTION E'mend these first:\n%', faults;
  END IF;
END $$;

-- Made at once behind the copy, the index of texts costs a fraction of what it does task by task. The
-- service's own indexer stays away meanwhile: this is its lock.
DO $$
BEGIN
  PERFORM pg_advisory_xact_lock('tasks_unindexed'::regclass::oid::integer, 0);
END $$;
CREATE TEMPORARY TABLE index_of_texts ON COMMIT DROP AS
  SELECT pg_get_indexdef('tasks_texts_trigrams'::regclass) AS definition;
DROP INDEX tasks_texts_trigrams;

-- NULL and the empty text become what the API says for them. `done` stays `done`.
INSERT INTO tasks (id, title, description, status, assignee_id, created_at, updated_at)
OVERRIDING SYSTEM VALUE
SELECT id, title, coalesce(description, ''), coalesce(nullif(status, ''), 'pending'),
  coalesce(assignee_id, 0), coalesce(created_at, now()),
  greatest(coalesce(updated_at, now()), coalesce(created_at, now()))
FROM tasks_of_go
WHERE deleted_at IS NULL
ORDER BY id;

DELETE FROM tasks_texts;
DELETE FROM tasks_unindexed;
INSERT INTO tasks_texts SELECT id, tasks_fold(title), tasks_fold(description) FROM tasks ORDER BY id;
DO $$
BEGIN
  EXECUTE (SELECT definition FROM index_of_texts);
END $$;

-- New tasks get numbers that no task ever had, those that are gone included.
DO $$
DECLARE
  sequence text := pg_get_serial_sequence('tasks_of_go', 'id');
  last bigint := (SELECT max(id) FROM tasks_of_go);
  given bigint;
BEGIN
  IF sequence IS NOT NULL THEN
    EXECUTE format('SELECT last_value FROM %s WHERE is_called', sequence) INTO given;
  END IF;
  last := greatest(last, given);
  IF last IS NOT NULL THEN
    PERFORM setval(pg_get_serial_sequence('tasks', 'id'), last);
  END IF;
END $$;

COMMIT;

ANALYZE tasks, tasks_texts;
