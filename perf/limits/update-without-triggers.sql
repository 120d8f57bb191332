\set id random(1, 1000000)
\set assignee random(0, 1000)
UPDATE tasks_without_triggers SET title = 'Prepare the quarterly report for Berlin 4711', description = 'The figures of last month are in the shared folder. Ask the customer first whether the date still holds.', status = 'pending', assignee_id = :assignee, version = version + 1, updated_at = now() WHERE id = :id RETURNING id, version, created_at, updated_at;
