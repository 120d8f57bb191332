import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const statuses = ['pending', 'in_progress', 'completed', 'done', 'canceled'] as const;

interface State {
  readonly generation: bigint;
  /** The count of all tasks, then those of each status. */
  readonly totals: readonly number[];
}

let database: TestDatabase;

before(async () => {
  database = await createTestDatabase('tasks state');
});

after(() => database?.drop());

test('the state beside the tasks agrees with a count after any mixture of statements, and steps once for each', async () => {
  const random = seededRandom(20_261_123);
  for (let round = 0; round < 300; round++) {
    const statement = pick(random, randomStatements)(random);
    const before = await readState();
    const { count } = await database.sql.unsafe(statement);
    const after = await readState();
    assert.equal(after.generation - before.generation, count > 0 ? 1n : 0n, statement);
    assert.deepEqual(after.totals, await countTasks(), statement);
    assert.deepEqual(await readBlocks(), await countBlocks(), statement);
  }
});

test('the state beside the tasks follows COPY', async () => {
  const before = await readState();
  const copy = await database.sql`COPY tasks (title, status) FROM STDIN`.writable();
  await new Promise<void>((done, reject) => {
    copy.once('error', reject).once('finish', done);
    copy.end('one\tpending\ntwo\tdone\nthree\tdone\n');
  });
  const after = await readState();
  assert.equal(after.generation - before.generation, 1n);
  assert.equal(after.totals[0]! - before.totals[0]!, 3);
  assert.deepEqual(after.totals, await countTasks());
});

test('the state beside the tasks follows an upsert that inserts and updates at once', async () => {
  const [row] = await database.sql<{ id: string }[]>`
    INSERT INTO tasks (title) VALUES ('first') RETURNING id`;
  await database.sql`
    INSERT INTO tasks (id, title) OVERRIDING SYSTEM VALUE
    VALUES (${row!.id}, 'again'), (1000000, 'new')
    ON CONFLICT (id) DO UPDATE SET status = 'canceled'`;
  assert.deepEqual((await readState()).totals, await countTasks());
  await database.sql`DELETE FROM tasks WHERE id = 1000000`;
});

test('the state beside the tasks follows MERGE', async () => {
  await database.sql`
    MERGE INTO tasks USING (SELECT min(id) AS low, max(id) AS high FROM tasks) AS found
      ON tasks.id IN (found.low, found.high)
    WHEN MATCHED AND tasks.id = found.low THEN DELETE
    WHEN MATCHED THEN UPDATE SET status = 'in_progress'`;
  assert.deepEqual((await readState()).totals, await countTasks());
});

test('the state beside the tasks goes to zero with TRUNCATE, one generation further', async () => {
  await database.sql`INSERT INTO tasks (title) VALUES ('kept for a moment')`;
  const before = await readState();
  await database.sql`TRUNCATE tasks`;
  const after = await readState();
  assert.equal(after.generation - before.generation, 1n);
  assert.deepEqual(after.totals, [0, 0, 0, 0, 0, 0]);
});

test('the state beside the tasks is taken back with the transaction that made it', async () => {
  const before = await readState();
  await assert.rejects(
    database.sql.begin(async (sql) => {
      await sql`INSERT INTO tasks (title) VALUES ('never')`;
      throw new Error('changed my mind');
    }),
  );
  assert.deepEqual(await readState(), before);
});

test('the state beside the tasks counts what concurrent writers did, without loss', async () => {
  const before = await readState();
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let round = 0; round < 50; round++) {
      const status = statuses[(writer + round) % statuses.length]!;
      await database.sql`INSERT INTO tasks (title, status) VALUES ('a', ${status}), ('b', 'done')`;
    }
  });
  await Promise.all(writers);
  const after = await readState();
  assert.equal(after.generation - before.generation, 200n);
  assert.equal(after.totals[0]! - before.totals[0]!, 400);
  assert.deepEqual(after.totals, await countTasks());
});

test('the state beside the tasks is found from a session with any search_path', async () => {
  await database.sql.begin(async (sql) => {
    await sql`SET LOCAL search_path = ''`;
    await sql`CREATE TEMPORARY TABLE tasks_state (generation bigint) ON COMMIT DROP`;
    await sql`INSERT INTO public.tasks (title) VALUES ('from elsewhere')`;
  });
  assert.deepEqual((await readState()).totals, await countTasks());
});

test('the state beside the tasks is one row, which can neither be removed nor doubled', async () => {
  await assert.rejects(database.sql`DELETE FROM tasks_state`, { code: '23001' });
  await assert.rejects(database.sql`TRUNCATE tasks_state`, { code: '23001' });
  await assert.rejects(database.sql`INSERT INTO tasks_state DEFAULT VALUES`, { code: '23505' });
  await assert.rejects(database.sql`INSERT INTO tasks_state (only_row) VALUES (false)`, {
    code: '23514',
  });
});

const refused: Readonly<Record<string, string>> = {
  'an empty title': `INSERT INTO tasks (title) VALUES ('')`,
  'a title of 256 characters': `INSERT INTO tasks (title) VALUES (repeat('ä', 256))`,
  'a description of 16385 characters': `INSERT INTO tasks (title, description) VALUES ('a', repeat('😀', 16385))`,
  'an unknown status': `INSERT INTO tasks (title, status) VALUES ('a', 'Pending')`,
  'a negative assignee': `INSERT INTO tasks (title, assignee_id) VALUES ('a', -1)`,
  'an assignee of 2^53': `INSERT INTO tasks (title, assignee_id) VALUES ('a', 9007199254740992)`,
};
for (const [what, statement] of Object.entries(refused)) {
  test(`the table of tasks refuses ${what}`, async () => {
    await assert.rejects(database.sql.unsafe(statement), { code: '23514' });
  });
}

test('the table of tasks takes what is just within the limits, and fills in the rest', async () => {
  const [row] = await database.sql`
    INSERT INTO tasks (title, description, assignee_id)
    VALUES (repeat('😀', 255), repeat('ä', 16384), 9007199254740991)
    RETURNING status, version, assignee_id, created_at = updated_at AS "sameTime"`;
  assert.deepEqual(
    { ...row },
    { status: 'pending', version: '1', assignee_id: '9007199254740991', sameTime: true },
  );
});

async function readState(): Promise<State> {
  const rows = await database.sql<{ generation: string; totals: string[] }[]>`
    SELECT generation, to_json(ARRAY[total, pending, in_progress, completed, done, canceled]) AS totals
    FROM tasks_state`;
  assert.equal(rows.length, 1);
  return { generation: BigInt(rows[0]!.generation), totals: rows[0]!.totals.map(Number) };
}

async function countTasks(): Promise<number[]> {
  const rows = await database.sql<{ status: string; count: string }[]>`
    SELECT status, count(*) FROM tasks GROUP BY status`;
  const counts = statuses.map((status) =>
    Number(rows.find((row) => row.status === status)?.count ?? 0),
  );
  return [counts.reduce((sum, count) => sum + count, 0), ...counts];
}

const blockColumns = `total, ${statuses.join(', ')}`;

/** The blocks that have tasks, as the triggers maintain them. */
async function readBlocks(): Promise<unknown[]> {
  return database.sql.unsafe(
    `SELECT block, ${blockColumns} FROM tasks_blocks WHERE total <> 0 ORDER BY block`,
  );
}

async function countBlocks(): Promise<unknown[]> {
  const counts = statuses.map((status) => `count(*) FILTER (WHERE status = '${status}')`);
  return database.sql.unsafe(
    `SELECT id >> 14 AS block, count(*) AS total, ${counts
      .map((count, place) => `${count} AS ${statuses[place]}`)
      .join(', ')} FROM tasks GROUP BY 1 ORDER BY 1`,
  );
}

type Random = () => number;

const randomStatements: readonly ((random: Random) => string)[] = [
  (random) =>
    `INSERT INTO tasks (title, status) VALUES ${Array.from(
      { length: 1 + Math.floor(random() * 5) },
      () => `('task', '${pick(random, statuses)}')`,
    ).join(', ')}`,
  (random) =>
    `INSERT INTO tasks (title, status) SELECT 'copy', status FROM tasks WHERE id % 7 = ${Math.floor(random() * 9)} LIMIT 9`,
  (random) =>
    `INSERT INTO tasks (id, title) OVERRIDING SYSTEM VALUE SELECT id, title FROM tasks LIMIT ${Math.floor(random() * 3)} ON CONFLICT DO NOTHING`,
  // Far apart, and into a block that may be new.
  (random) =>
    `INSERT INTO tasks (id, title, status) OVERRIDING SYSTEM VALUE
     SELECT id, 'far', '${pick(random, statuses)}'
     FROM generate_series(${Math.floor(random() * 90_000)}, 99999, ${10_000 + Math.floor(random() * 30_000)}) AS id
     ON CONFLICT DO NOTHING`,
  (random) => `UPDATE tasks SET id = DEFAULT WHERE id % 40 = ${Math.floor(random() * 50)}`,
  (random) =>
    `UPDATE tasks SET status = CASE status WHEN 'done' THEN 'pending' ELSE 'done' END WHERE id > ${Math.floor(random() * 100_000)}`,
  (random) => `DELETE FROM tasks WHERE id = ${Math.floor(random() * 100)}`,
  (random) =>
    `UPDATE tasks SET status = '${pick(random, statuses)}' WHERE id % 5 = ${Math.floor(random() * 6)}`,
  (random) =>
    `UPDATE tasks SET title = title || '.' WHERE status = '${pick(random, statuses)}' AND id % 3 = 0`,
  (random) => `DELETE FROM tasks WHERE id % 4 = ${Math.floor(random() * 5)}`,
  () => 'DELETE FROM tasks WHERE false',
];

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)]!;
}

/** The same on every run (mulberry32), so that a failure can be repeated. */
function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
