DROP TRIGGER tasks_inserted_blocks ON tasks;
DROP TRIGGER tasks_deleted_blocks ON tasks;
DROP TRIGGER tasks_updated_blocks ON tasks;
DROP TRIGGER tasks_truncated_blocks ON tasks;
DROP FUNCTION tasks_block_inserted();
DROP FUNCTION tasks_block_deleted();
DROP FUNCTION tasks_block_updated();
DROP FUNCTION tasks_block_truncated();
DROP TABLE tasks_blocks;
DROP INDEX tasks_text;
DROP INDEX tasks_updated_at_id;
DROP INDEX tasks_created_at_id;
DROP INDEX tasks_title_id;
-- pg_trgm stays: somebody else may use it by now.
