import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { seedTasks } from '../../perf/seed/seed.ts';
import { names, vocabulary } from '../../perf/seed/words.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const statuses = ['pending', 'in_progress', 'completed', 'done', 'canceled'] as const;
const counts = [
  'count(*) AS total',
  ...statuses.map((status) => `count(*) FILTER (WHERE status = '${status}') AS ${status}`),
].join(', ');

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase('seed');
});

afterEach(() => database?.drop());

test('make db-seed adds tasks whose counts the triggers have kept, and leaves every index', async () => {
  const indexes = await readIndexes();
  await seed(5000);
  assert.equal((await readCounts('tasks', counts)).total, 5000);
  await assertCounted();
  assert.deepEqual(await readIndexes(), indexes);
  assert.deepEqual(await readTexts(), { indexed: 5000, unindexed: 0 });
  assert.ok(await isAnalysed());
});

test('make db-seed adds to tasks that are there, and other ones than before', async () => {
  await database.sql`INSERT INTO tasks (title) VALUES ('mine')`;
  await seed(2000);
  await seed(2000);
  await assertCounted();
  const [row] = await database.sql<{ total: string; mine: string; different: string }[]>`
    SELECT count(*) AS total, count(*) FILTER (WHERE title = 'mine') AS mine,
      count(DISTINCT (title, description)) AS different FROM tasks`;
  assert.deepEqual({ ...row }, { total: '4001', mine: '1', different: '4001' });
});

test('make db-seed drops the indexes for many tasks only, and makes the same ones anew', async () => {
  const indexes = await readIndexes();
  const steps: string[] = [];
  await seedTasks(database.sql, { rows: 60_000, progress: (text) => steps.push(text) });
  assert.ok(steps.some((text) => text.includes('tasks_texts_trigrams')));
  assert.deepEqual(await readIndexes(), indexes);
  assert.deepEqual(await readTexts(), { indexed: 60_000, unindexed: 0 });
  await assertCounted();

  steps.length = 0;
  await seedTasks(database.sql, { rows: 1000, progress: (text) => steps.push(text) });
  assert.ok(!steps.some((text) => text.includes('tasks_texts_trigrams')));
});

test('make db-seed has frequent words, rare ones, people with many tasks, and dates that rise', async () => {
  await seed(5000);
  const frequent = await countTitles(vocabulary[0]!);
  assert.ok(frequent > 1000 && frequent < 2500, `${frequent} of 5000`);
  const medium = await countTitles(vocabulary[60]!);
  assert.ok(medium > 10 && medium < 250, `${medium} of 5000`);
  assert.equal(await countTitles(names[1]!), 1);

  const [row] = await database.sql<
    { nobody: string; people: string; busiest: string; empty: string; falling: string }[]
  >`
    SELECT count(*) FILTER (WHERE assignee_id = 0) AS nobody,
      count(DISTINCT assignee_id) AS people,
      count(*) FILTER (WHERE assignee_id = 1) AS busiest,
      count(*) FILTER (WHERE description = '') AS empty,
      count(*) FILTER (WHERE created_at < earlier OR updated_at < created_at) AS falling
    FROM (SELECT *, lag(created_at) OVER (ORDER BY id) AS earlier FROM tasks) AS seeded`;
  assert.ok(Number(row!.nobody) > 800 && Number(row!.nobody) < 1200);
  assert.ok(Number(row!.people) > 500);
  assert.ok(Number(row!.busiest) > 150);
  assert.ok(Number(row!.empty) > 1000 && Number(row!.empty) < 1700);
  assert.equal(row!.falling, '0');
});

test('make db-seed, interrupted, leaves everything as it was', async () => {
  await seed(1000);
  const before = await readState();
  for (const until of ['20000 of', 'making the index tasks_texts']) {
    const interruption = new AbortController();
    const progress = (text: string): void => {
      if (text.startsWith(until)) interruption.abort(new Error('interrupted'));
    };
    await assert.rejects(
      seedTasks(database.sql, { rows: 60_000, progress, signal: interruption.signal }),
      /^Error: interrupted$/,
    );
    assert.deepEqual(await readState(), before);
  }
});

test('make db-seed reports an error that comes when a batch is complete, and leaves everything as it was', async () => {
  await database.sql.unsafe(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'no room'; END $$;
    CREATE TRIGGER zz_refuse AFTER INSERT ON tasks EXECUTE FUNCTION refuse();`);
  const before = await readState();
  await assert.rejects(seed(60_000), /no room/);
  assert.deepEqual(await readState(), before);
});

function seed(rows: number): Promise<void> {
  return seedTasks(database.sql, { rows, progress: () => undefined });
}

/** The triggers' counts must equal a real count. */
async function assertCounted(): Promise<void> {
  const counted = await readCounts('tasks', counts);
  const columns = ['total', ...statuses];
  assert.deepEqual(await readCounts('tasks_state', columns.join(', ')), counted);
  const sums = columns.map((name) => `sum(${name}) AS ${name}`).join(', ');
  assert.deepEqual(await readCounts('tasks_blocks', sums), counted);
}

async function readCounts(table: string, columns: string): Promise<Record<string, number>> {
  const [row] = await database.sql.unsafe(`SELECT ${columns} FROM ${table}`);
  return Object.fromEntries(Object.entries(row!).map(([name, value]) => [name, Number(value)]));
}

async function readTexts(): Promise<Record<string, number>> {
  const { indexed } = await readCounts('tasks_texts', 'count(*) AS indexed');
  const { unindexed } = await readCounts('tasks_unindexed', 'count(*) AS unindexed');
  return { indexed: indexed!, unindexed: unindexed! };
}

async function readState(): Promise<unknown> {
  return {
    tasks: await readCounts('tasks', `${counts}, max(id) AS newest`),
    state: await readCounts('tasks_state', 'generation, total'),
    indexes: await readIndexes(),
    texts: await readTexts(),
  };
}

async function readIndexes(): Promise<string[]> {
  const rows = await database.sql<{ indexdef: string }[]>`
    SELECT indexdef FROM pg_indexes WHERE tablename IN ('tasks', 'tasks_texts')
    ORDER BY indexname`;
  return rows.map(({ indexdef }) => indexdef);
}

async function countTitles(word: string): Promise<number> {
  const [row] = await database.sql<{ count: string }[]>`
    SELECT count(*) AS count FROM tasks WHERE title ILIKE ${`%${word}%`}`;
  return Number(row!.count);
}

async function isAnalysed(): Promise<boolean> {
  const rows = await database.sql<{ tablename: string }[]>`
    SELECT DISTINCT tablename FROM pg_stats
    WHERE tablename IN ('tasks', 'tasks_state', 'tasks_blocks', 'tasks_texts')`;
  return rows.length === 4;
}
