DROP TRIGGER tasks_inserted_texts ON tasks;
DROP TRIGGER tasks_deleted_texts ON tasks;
DROP TRIGGER tasks_updated_texts ON tasks;
DROP TRIGGER tasks_truncated_texts ON tasks;
DROP FUNCTION tasks_text_inserted();
DROP FUNCTION tasks_text_deleted();
DROP FUNCTION tasks_text_updated();
DROP FUNCTION tasks_text_truncated();
DROP FUNCTION tasks_index_texts(integer);
DROP TABLE tasks_unindexed;
DROP TABLE tasks_texts;
DO $$
BEGIN
  EXECUTE format('CREATE INDEX tasks_text ON tasks USING gin (title %1$s, description %1$s)', (
    SELECT quote_ident(nspname) || '.gin_trgm_ops'
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'));
END $$;
