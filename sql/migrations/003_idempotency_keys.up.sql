-- What a create with an Idempotency-Key has made, so that the same request makes it once.

CREATE TABLE idempotency_keys (
  key         text COLLATE "C" PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 64),
  fingerprint text NOT NULL, -- of the task's fields
  -- No foreign key: the task may be gone, and the answer that was given stays the same.
  task_id     bigint NOT NULL,
  created_at  timestamptz(3) NOT NULL DEFAULT now()
);

-- Keys that have expired are found by it.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
