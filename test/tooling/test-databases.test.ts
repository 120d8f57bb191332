import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '../support/postgres.ts';

test('many test files at once each get a database of their own, migrated and empty', async () => {
  const databases = await Promise.all(
    Array.from({ length: 8 }, (_, place) => createTestDatabase(`number ${place}, of eight`)),
  );
  try {
    const counts = await Promise.all(
      databases.map(async ({ sql }) => {
        await sql`INSERT INTO tasks (title) VALUES ('mine')`;
        const [row] = await sql<{ total: string }[]>`SELECT total FROM tasks_state`;
        return row!.total;
      }),
    );
    assert.deepEqual(counts, Array(8).fill('1'));
    assert.equal(new Set(databases.map(({ config }) => config.name)).size, 8);
  } finally {
    await Promise.all(databases.map((database) => database.drop()));
  }
});
