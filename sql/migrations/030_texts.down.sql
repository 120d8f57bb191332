-- pg_trgm stays: other objects may use it by now.
DROP FUNCTION tasks_index_texts(integer);
DROP TABLE tasks_unindexed;
DROP TABLE tasks_texts;
DROP FUNCTION tasks_fold(text);
