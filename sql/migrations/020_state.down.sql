DROP TABLE tasks_blocks;
DROP TABLE tasks_state;
DROP FUNCTION tasks_state_stays();
