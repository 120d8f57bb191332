-- What a create with an Idempotency-Key has made, so that the same request makes it once.
--
-- Who writes it: the service, in the statement that creates the task. Rows live 24 hours; the service
-- then removes them (src/database/expired-keys.ts).

CREATE TABLE idempotency_keys (
  key         text COLLATE "C" PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 64),
  -- Of the request's fields: the same key with other fields is refused.
  fingerprint text NOT NULL,
  -- No foreign key: the task may be gone, and the answer that was given stays the same.
  task_id     bigint NOT NULL,
  created_at  timestamptz(3) NOT NULL DEFAULT now(),
  -- The task as it was stored, column by column, where that is not what was asked for: a trigger of
  -- somebody else may change a task on its way. NULL: the task was made as the request says.
  answer      text[]
);

-- Finds the keys that have expired.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
