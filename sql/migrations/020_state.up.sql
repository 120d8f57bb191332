-- The generation and the counts: for fresh lists, exact totals, and fast pages at a high offset.
--
-- Writers: only the triggers of 040, in the transaction that changes the tasks. 040 also counts the
-- tasks that exist when it runs. 050 counts again after a repair.

-- A single row. Each statement that changes a task adds 1 to the generation, so a list read at the
-- current generation is fresh.
--
-- Every write updates this row. The fillfactor leaves room for new versions, and autovacuum removes
-- dead versions early; otherwise each read would scan them.
CREATE TABLE tasks_state (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Starts at the current time in microseconds, so a schema that is created again never reaches a
  -- generation that a cached list of the former one has.
  generation  bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  -- The number of all tasks, and of the tasks of each status.
  total       bigint NOT NULL DEFAULT 0,
  pending     bigint NOT NULL DEFAULT 0,
  in_progress bigint NOT NULL DEFAULT 0,
  completed   bigint NOT NULL DEFAULT 0,
  done        bigint NOT NULL DEFAULT 0,
  canceled    bigint NOT NULL DEFAULT 0,
  -- The file number of the table tasks when these counts were last known to be right. ALTER TABLE
  -- ... USING rewrites the table into another file without firing a trigger; the service detects
  -- that by this number.
  table_file  oid NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

INSERT INTO tasks_state DEFAULT VALUES;

-- Without the row the triggers would update nothing and lose the counts.
CREATE FUNCTION tasks_state_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'tasks_state keeps its one row' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tasks_state_stays BEFORE DELETE OR TRUNCATE ON tasks_state
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_state_stays();
-- Also for sessions with session_replication_role = replica.
ALTER TABLE tasks_state ENABLE ALWAYS TRIGGER tasks_state_stays;

-- The same counts for each block of 16384 ids. Their sum locates a page in the order of ids,
-- without a scan of all tasks before it. The row of a block whose tasks are all deleted stays, with
-- zeros.
CREATE TABLE tasks_blocks (
  block       bigint PRIMARY KEY, -- id >> 14
  total       bigint NOT NULL,
  pending     bigint NOT NULL,
  in_progress bigint NOT NULL,
  completed   bigint NOT NULL,
  done        bigint NOT NULL,
  canceled    bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
