-- The counts and the queue stay, and become wrong with the next change of a task.
-- 040_triggers.up.sql counts again.
DROP TRIGGER tasks_inserted ON tasks;
DROP TRIGGER tasks_deleted ON tasks;
DROP TRIGGER tasks_updated ON tasks;
DROP TRIGGER tasks_truncated ON tasks;
DROP TRIGGER tasks_row_changed ON tasks;
DROP TABLE tasks_steps;
DROP FUNCTION tasks_inserted();
DROP FUNCTION tasks_deleted();
DROP FUNCTION tasks_updated();
DROP FUNCTION tasks_truncated();
DROP FUNCTION tasks_row_changed();
DROP FUNCTION tasks_steps_added();
