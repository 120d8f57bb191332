\set id1 random(1, 1000000)
\set id2 random(1, 1000000)
\set id3 random(1, 1000000)
\set id4 random(1, 1000000)
\set id5 random(1, 1000000)
\set id6 random(1, 1000000)
\set id7 random(1, 1000000)
\set id8 random(1, 1000000)
\startpipeline
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id1;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id2;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id3;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id4;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id5;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id6;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id7;
SELECT id, title, description, status, assignee_id, version, created_at, updated_at FROM tasks WHERE id = :id8;
\endpipeline
