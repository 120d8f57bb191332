-- The results of creates with an Idempotency-Key, so that a repeated request creates one task.
--
-- Writer: the service, in the statement that creates the task. The service deletes rows after 24
-- hours (src/database/maintenance/expired-keys.ts).

CREATE TABLE idempotency_keys (
  key         text COLLATE "C" PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 64),
  -- A hash of the request's fields: the same key with other fields is rejected.
  fingerprint text NOT NULL,
  -- No foreign key: the task may be deleted, and the stored response stays the same.
  task_id     bigint NOT NULL,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  -- The columns of the stored task, if it differs from the request: another trigger may change a
  -- task on insert. NULL: the task equals the request.
  answer      text[]
);

-- Finds the expired keys.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
