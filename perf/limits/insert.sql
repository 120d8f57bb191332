\set assignee random(0, 1000)
INSERT INTO tasks (title, description, status, assignee_id) VALUES ('Prepare the quarterly report for Berlin 4711', 'The figures of last month are in the shared folder. Ask the customer first whether the date still holds.', 'pending', :assignee) RETURNING id, version, created_at, updated_at;
