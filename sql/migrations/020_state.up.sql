-- The generation and the counts: what makes lists fresh, totals exact, and pages deep inside cheap.
--
-- Who writes these tables: the triggers of 040 alone, in the transaction that changes the tasks. 040 also
-- counts the tasks that are here when it runs. 050 counts anew after a repair.

-- One row, as long as the schema. Each statement that changes a task adds 1 to the generation, so a list
-- that was read at the present generation is fresh.
--
-- Every write updates this row. Its pages are left mostly empty for new versions, and dead versions are
-- cleared early; otherwise each read would walk over them.
CREATE TABLE tasks_state (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Begins at the present time in microseconds. A schema that is made anew so never comes to a
  -- generation that a cached list of the former one has.
  generation  bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  -- All tasks, and those of each status.
  total       bigint NOT NULL DEFAULT 0,
  pending     bigint NOT NULL DEFAULT 0,
  in_progress bigint NOT NULL DEFAULT 0,
  completed   bigint NOT NULL DEFAULT 0,
  done        bigint NOT NULL DEFAULT 0,
  canceled    bigint NOT NULL DEFAULT 0,
  -- The file of the table tasks when these counts were last known to be right. ALTER TABLE ... USING
  -- writes the table into another file and fires no trigger: that is how it is noticed.
  table_file  oid NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

INSERT INTO tasks_state DEFAULT VALUES;

-- Without the row the triggers would update nothing, and no count would be kept.
CREATE FUNCTION tasks_state_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'tasks_state keeps its one row' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER tasks_state_stays BEFORE DELETE OR TRUNCATE ON tasks_state
  FOR EACH STATEMENT EXECUTE FUNCTION tasks_state_stays();
-- For sessions with session_replication_role = replica, too.
ALTER TABLE tasks_state ENABLE ALWAYS TRIGGER tasks_state_stays;

-- The same counts for each block of 16384 ids. A page of a list in the order of ids is found by adding
-- these up instead of walking over every task before it. The row of a block whose tasks are all gone
-- stays, with zeros.
CREATE TABLE tasks_blocks (
  block       bigint PRIMARY KEY, -- id >> 14
  total       bigint NOT NULL,
  pending     bigint NOT NULL,
  in_progress bigint NOT NULL,
  completed   bigint NOT NULL,
  done        bigint NOT NULL,
  canceled    bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
