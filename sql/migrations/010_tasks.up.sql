-- The tasks: the table that the API reads and writes.
--
-- Writers: the service, and every other client with the privilege, such as psql, another program or
-- logical replication. A row lives until a client deletes it.
--
-- The next files create what is derived from it: counts (020), a copy of the texts for searches
-- (030), and the triggers that maintain both (040). 050 repairs what the triggers missed.

DO $$
BEGIN
  IF getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'the database % has the encoding %, and the service needs UTF8',
      current_database(), getdatabaseencoding();
  END IF;
END $$;

-- The constraints are the limits of the API: every row can be returned by it.
CREATE TABLE tasks (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title       text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 255),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 16384),
  -- 'done' is the Go service's word for 'completed'.
  status      text NOT NULL DEFAULT 'pending'
              CHECK (status IN ('pending', 'in_progress', 'completed', 'done', 'canceled')),
  -- 0 is no assignee; the maximum is the largest integer that a JSON number holds exactly.
  assignee_id bigint NOT NULL DEFAULT 0 CHECK (assignee_id BETWEEN 0 AND 9007199254740991),
  -- Increases by 1 with each change. Part of the ETag.
  version     bigint NOT NULL DEFAULT 1,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  updated_at  timestamptz(3) NOT NULL DEFAULT now(),
  -- RFC 3339 has four digits for the year and no infinity. A JSON number is exact up to 2^53-1. One
  -- constraint for all of these, because each constraint slows every write.
  CONSTRAINT tasks_bounds_check CHECK (
    id BETWEEN 1 AND 9007199254740991
    AND least(created_at, updated_at) >= '0001-01-01 00:00:00+00'
    AND greatest(created_at, updated_at) < '10000-01-01 00:00:00+00'
  )
) WITH (fillfactor = 90); -- leaves room on each page for the next version of a row

-- One index for each sort order of a list. id is the last key of every order, so that no task
-- repeats or is missing between two pages.
CREATE INDEX tasks_status_id ON tasks (status, id);
CREATE INDEX tasks_assignee_id_id ON tasks (assignee_id, id);
-- By code point: the same order on every server, whatever its locale.
CREATE INDEX tasks_title_id ON tasks (title COLLATE "C", id);
CREATE INDEX tasks_created_at_id ON tasks (created_at, id);
CREATE INDEX tasks_updated_at_id ON tasks (updated_at, id);
