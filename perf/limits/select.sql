\set id random(1, 1000000)
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id;
