import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { stateOfTasks, tableWithoutTriggers } from '../../perf/support/tasks.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase('measured');
});

afterEach(() => database?.drop());

test('a measurement does not take a database with the tasks of somebody else', async () => {
  await database.sql`INSERT INTO tasks (title) VALUES ('mine')`;
  assert.equal(await stateOfTasks(database.sql), 'foreign');
});

test('what a measurement made of another schema, or half, is made anew', async () => {
  assert.equal(await stateOfTasks(database.sql), 'outdated');
  await database.sql.unsafe(`CREATE TABLE ${tableWithoutTriggers} (LIKE tasks INCLUDING ALL)`);
  await database.sql`INSERT INTO tasks (title) VALUES ('seeded')`;
  assert.equal(await stateOfTasks(database.sql), 'outdated');
  await database.sql.unsafe(`COMMENT ON TABLE ${tableWithoutTriggers} IS 'perf seed 2, schema 5'`);
  assert.equal(await stateOfTasks(database.sql), 'outdated');
});

test('a database without any table needs no other one', async () => {
  await database.sql`DROP TABLE tasks CASCADE`;
  assert.equal(await stateOfTasks(database.sql), 'none');
});
