DROP FUNCTION tasks_recount();
DROP FUNCTION tasks_mend_triggers();
DROP FUNCTION tasks_triggers_amiss();
