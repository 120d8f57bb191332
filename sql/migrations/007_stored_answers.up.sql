-- What a create with a key has made, column by column, where that is not what was asked for: a trigger
-- may change a task on its way. Without it, the task was made as the request says.

ALTER TABLE idempotency_keys ADD COLUMN answer text[];
