DROP TABLE tasks;
DROP TABLE tasks_state;
DROP FUNCTION tasks_state_stays();
DROP FUNCTION tasks_count_inserted();
DROP FUNCTION tasks_count_deleted();
DROP FUNCTION tasks_count_updated();
DROP FUNCTION tasks_count_truncated();
