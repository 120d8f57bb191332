/**
 * The statements of lists compared with a model: the same tasks in an array, filtered, sorted and
 * sliced by plain code. Ids spread over many blocks, and there are enough tasks for high offsets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Order, type SortField, sortFields } from '../../src/contract/cursor.ts';
import { type FilterTerm, printFilter } from '../../src/contract/filter.ts';
import { countMax, lookedAtCountMax } from '../../src/contract/limits.ts';
import { parseListKey } from '../../src/contract/list-key.ts';
import { parseListQuery, printSort } from '../../src/contract/list-query.ts';
import { type Status, statuses, type Task } from '../../src/contract/task.ts';
import { openPipeline, type Pipeline } from '../../src/database/pipeline/pipeline.ts';
import { textArray } from '../../src/tasks/arrays.ts';
import { createExecutor, type Executor } from '../../src/tasks/executor.ts';
import { createPreparedShapes } from '../../src/tasks/prepared-shapes.ts';
import type { SearchPlan } from '../../src/tasks/search-plans.ts';
import { listTasks, sampleTasks } from '../../src/tasks/statements.ts';
import { foldByModel } from '../support/fold-model.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const tasksMade = 6000;
const words = [
  'Report',
  'invoice',
  '100%',
  'snow_man',
  'back\\slash',
  'ÄPFEL',
  'zq',
  'pending',
  '17',
];

/** The driver does not know array types: see client.ts. */
const wordArray = textArray(words);

let database: TestDatabase;
let executor: Executor;
let pipeline: Pipeline;
let tasks: Task[];

before(async () => {
  database = await createTestDatabase('lists_model');
  await database.sql`
    INSERT INTO tasks (id, title, description, status, assignee_id, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT 1 + n * 7 + dice % 5,
      (${wordArray}::text[])[1 + dice % 9] || ' ' || dice % 40,
      CASE WHEN dice % 11 = 0 THEN 'needle ' || (${wordArray}::text[])[1 + dice / 9 % 9] ELSE '' END,
      (ARRAY['pending', 'in_progress', 'completed', 'done'])[1 + dice / 100 % 4],
      dice / 400 % 30,
      timestamptz '2026-01-01 00:00:00Z' + dice % 500 * interval '1 hour',
      timestamptz '2026-01-01 00:00:00Z' + dice % 3000 * interval '1 minute'
    FROM generate_series(0, ${tasksMade - 1}) AS n, LATERAL (SELECT hashint4(n) & 2147483647 AS dice) AS thrown`;
  // A few blocks change afterwards, in every way.
  await database.sql`UPDATE tasks SET status = 'canceled' WHERE id % 61 = 0`;
  await database.sql`DELETE FROM tasks WHERE id BETWEEN 9000 AND 14000`;
  await mixIndexedTexts();
  await database.sql`ANALYZE`;
  pipeline = openPipeline(database.config, {
    applicationName: 'lists',
    statementTimeoutMs: 30_000,
    onClose: () => undefined,
  });
  executor = createExecutor({
    database: database.config,
    applicationName: 'lists test',
    statementTimeoutMs: 10_000,
  });
  await executor.warm();
  const rows = await database.sql<{ task: Task }[]>`
    SELECT json_build_object('id', id, 'title', title, 'description', description, 'status', status,
      'assigneeID', assignee_id,
      'createdAt', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'updatedAt', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS task
    FROM tasks`;
  tasks = rows.map(({ task }) => task);
});

after(async () => {
  await executor?.close();
  await database?.drop();
});

/**
 * Leaves the tasks as they are. The text index has the current texts of one third, old texts of
 * another third, none of the last third, and texts of deleted tasks.
 */
async function mixIndexedTexts(): Promise<void> {
  await database.sql.begin(async (sql) => {
    await sql`CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM tasks`;
    await sql`UPDATE tasks SET title = 'needle Report', description = 'zq' WHERE id % 3 = 1`;
    await sql`
      INSERT INTO tasks (id, title, description) OVERRIDING SYSTEM VALUE
      SELECT 100000 + n, 'Report snow_man zq', 'needle invoice' FROM generate_series(1, 50) AS n`;
    await sql`SELECT tasks_index_texts(100000)`;
    await sql`DELETE FROM tasks WHERE id > 100000`;
    await sql`
      UPDATE tasks SET title = kept.title, description = kept.description
      FROM kept WHERE kept.id = tasks.id AND tasks.id % 3 = 1`;
    await sql`DELETE FROM tasks_texts WHERE id % 3 = 2`;
    await sql`INSERT INTO tasks_unindexed SELECT id FROM tasks WHERE id % 3 = 2`;
  });
  const [mixture] = await database.sql<Record<string, string>[]>`
    SELECT count(*) FILTER (WHERE text.title = tasks_fold(task.title) AND text.description = tasks_fold(task.description)) AS present,
      count(*) FILTER (WHERE text.title <> tasks_fold(task.title) OR text.description <> tasks_fold(task.description)) AS former,
      count(*) FILTER (WHERE text.id IS NULL) AS none,
      count(*) FILTER (WHERE task.id IS NULL) AS gone
    FROM tasks AS task FULL JOIN tasks_texts AS text USING (id)`;
  for (const count of Object.values(mixture!)) assert.ok(Number(count) > 20, String(count));
}

interface ListBody {
  readonly data: readonly Task[];
  readonly meta: {
    readonly page: number | null;
    readonly per_page: number;
    readonly total: number;
    readonly total_pages: number;
    readonly total_exact?: false;
    readonly next_cursor?: string | null;
  };
}

async function list(raw: string): Promise<ListBody> {
  const parsed = parseListKey(raw);
  assert.ok(parsed.ok, `${raw}: ${JSON.stringify(parsed)}`);
  const { kind, bytes } = parsed.key;
  const { items } = await executor.readLists(kind, [{ query: bytes }]);
  const answer = items[0]!;
  assert.ok(answer.problem === null, `${raw}: ${JSON.stringify(answer)}`);
  return JSON.parse(Buffer.from(answer.body).toString()) as ListBody;
}

function matches(task: Task, term: FilterTerm): boolean {
  switch (term.field) {
    case 'any': {
      const number = /^\d+$/.test(term.text) ? Number(term.text) : undefined;
      return (
        includes(task.title, term.text) ||
        includes(task.description, term.text) ||
        task.status === term.text ||
        task.id === number ||
        task.assigneeID === number
      );
    }
    case 'title':
    case 'description':
      if (term.operator === 'contains') return includes(task[term.field], term.text);
      return (task[term.field] === term.text) === (term.operator === '=');
    case 'status':
      return term.statuses.includes(task.status as Status) === (term.operator !== '!=');
    case 'id':
    case 'assigneeID':
      if (term.operator === 'in') return term.numbers.includes(task[term.field]);
      return compares(Math.sign(task[term.field] - term.numbers[0]), term.operator);
    case 'createdAt':
    case 'updatedAt': {
      const distance = Date.parse(task[term.field]) - Date.parse(term.time);
      return compares(Math.sign(distance), term.operator);
    }
  }
}

function includes(text: string, part: string): boolean {
  return foldByModel(text).includes(foldByModel(part));
}

function compares(sign: number, operator: string): boolean {
  switch (operator) {
    case '=':
      return sign === 0;
    case '!=':
      return sign !== 0;
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
    case '>':
      return sign > 0;
    default:
      return sign >= 0;
  }
}

function expectedList(terms: readonly FilterTerm[], { field, descending }: Order): Task[] {
  const direction = descending ? -1 : 1;
  return tasks
    .filter((task) => terms.every((term) => matches(task, term)))
    .sort((one, other) => direction * (byField(one, other, field) || one.id - other.id));
}

function byField(one: Task, other: Task, field: SortField): number {
  const [left, right] = [one[field], other[field]];
  if (typeof left === 'number') return left - (right as number);
  return Buffer.compare(Buffer.from(left), Buffer.from(right as string));
}

const text = fc.oneof(
  fc.constantFrom(...words, ...words.map((word) => word.toLowerCase())),
  fc.constantFrom('e', 're', 'needle', 'eedle r', 'nowhere', '%', '_', '7', '17', 'pending 1'),
  fc.constantFrom('a\u0308pfel', 'A\u0308PF', 'ä', 'a\u0308', '\u0308', 'ſnow', 'İNVO', 'ınvoıce'),
);
const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const time = fc
  .integer({ min: 0, max: 600 })
  .map((hours) => new Date(Date.UTC(2026, 0, 1, hours)).toISOString());
const term = fc.oneof(
  fc.record({ field: fc.constant('any'), text }),
  fc.record({
    field: fc.constantFrom('title', 'description'),
    operator: fc.constantFrom('=', '!=', 'contains'),
    text,
  }),
  fc.record({
    field: fc.constant('status'),
    operator: fc.constantFrom('=', '!='),
    statuses: fc.constantFrom(...statuses).map((status) => [status]),
  }),
  fc.record({
    field: fc.constant('status'),
    operator: fc.constant('in'),
    statuses: fc.uniqueArray(fc.constantFrom(...statuses), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    field: fc.constantFrom('id', 'assigneeID'),
    operator: comparison,
    numbers: fc.integer({ min: 0, max: 40 }).map((number) => [number]),
  }),
  fc.record({
    field: fc.constantFrom('id', 'assigneeID'),
    operator: fc.constant('in'),
    numbers: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ field: fc.constantFrom('createdAt', 'updatedAt'), operator: comparison, time }),
) as fc.Arbitrary<FilterTerm>;
const terms = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...statuses)
      .map((status): FilterTerm[] => [{ field: 'status', operator: '=', statuses: [status] }]),
  },
  { weight: 3, arbitrary: fc.array(term, { minLength: 1, maxLength: 3 }) },
);
const order = fc.record({ field: fc.constantFrom(...sortFields), descending: fc.boolean() });
const perPage = fc.constantFrom(1, 7, 100);

function rawOf(given: readonly FilterTerm[], sort: Order, rest: string): string {
  return `sort=${printSort(sort)}&filter=${encodeURIComponent(printFilter(given))}&${rest}`;
}

function checkMeta(meta: ListBody['meta'], expected: number, size: number, raw: string): void {
  const counted = meta.total_exact === false ? Math.min(expected, meta.total) : expected;
  assert.equal(meta.total, counted, raw);
  if (meta.total_exact === false) {
    assert.ok([countMax, lookedAtCountMax].includes(meta.total), raw);
    assert.ok(expected > meta.total, raw);
  }
  assert.deepEqual([meta.per_page, meta.total_pages], [size, Math.ceil(counted / size)], raw);
}

test('each page of each list is what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(
      terms,
      order,
      perPage,
      fc.double({ min: 0, max: 1.1, noNaN: true }),
      async (given, sort, size, depth) => {
        const expected = expectedList(given, sort);
        const page = 1 + Math.floor((depth * expected.length) / size);
        const raw = rawOf(given, sort, `page=${page}&per_page=${size}`);
        const { data, meta } = await list(raw);
        assert.deepEqual(data, expected.slice((page - 1) * size, page * size), raw);
        assert.equal(meta.page, page);
        checkMeta(meta, expected.length, size, raw);
      },
    ),
    { numRuns: 600 },
  );
});

test('a walk by cursor meets each task once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(terms, order, async (given, sort) => {
      const expected = expectedList(given, sort);
      const walked: Task[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const raw = rawOf(given, sort, `cursor=${cursor}&per_page=100`);
        const { data, meta } = await list(raw);
        assert.equal(meta.page, null);
        checkMeta(meta, expected.length, 100, raw);
        walked.push(...data);
        cursor = meta.next_cursor!;
      }
      assert.deepEqual(walked, expected);
    }),
    { numRuns: 60 },
  );
});

test('whatever plan a search has, it finds the same', async () => {
  const prepared = createPreparedShapes();
  const way = fc.constantFrom('gather', 'walk', 'planner');
  const rarest = fc.constantFrom({}, { rarest: 0 }, { rarest: 1 });
  const plan = fc
    .tuple(fc.record({ page: way, count: way }), rarest)
    .map(([ways, known]) => ({ ...ways, ...known })) as fc.Arbitrary<SearchPlan>;
  await fc.assert(
    fc.asyncProperty(terms, order, plan, fc.boolean(), async (given, sort, chosen, byCursor) => {
      const parsed = parseListQuery(rawOf(given, sort, byCursor ? 'cursor=' : 'page=2'));
      assert.ok(parsed.ok);
      const page = await listTasks(pipeline, parsed.query, chosen, prepared);
      const expected = expectedList(given, sort);
      assert.deepEqual(
        page.rows.map(({ id }) => Number(id)),
        (byCursor ? expected.slice(0, 21) : expected.slice(20, 40)).map(({ id }) => id),
      );
      if (page.totalExact) assert.equal(page.total, expected.length);
    }),
    { numRuns: 300 },
  );
});

test('a sample knows how frequent tasks are, and where', async () => {
  const prepared = createPreparedShapes();
  const sample = async (raw: string) => {
    const parsed = parseListQuery(raw);
    assert.ok(parsed.ok);
    return sampleTasks(pipeline, parsed.query, prepared);
  };
  const all = await sample('filter=id>0');
  assert.equal(all.hits.length, 200);
  assert.equal(
    all.hits.reduce((total, count) => total + count, 0),
    all.tasks,
  );
  const late = await sample(`filter=id>40000`);
  assert.deepEqual([late.hits[0], late.hits.at(-1)! > 0], [0, true]);
  const none = await sample('filter=title:nowhere');
  assert.ok(none.hits.every((count) => count === 0));
  const within = await sample('status=canceled&filter=assigneeID>=0');
  assert.ok(within.tasks > 0 && within.hits.every((count) => count <= 20));
});

test('the counts of the blocks are those of the tasks, whatever happened to them', async () => {
  const differences = await database.sql`
    SELECT * FROM tasks_blocks WHERE total <> 0
    EXCEPT SELECT id >> 14, count(*), count(*) FILTER (WHERE status = 'pending'),
      count(*) FILTER (WHERE status = 'in_progress'), count(*) FILTER (WHERE status = 'completed'),
      count(*) FILTER (WHERE status = 'done'), count(*) FILTER (WHERE status = 'canceled')
    FROM tasks GROUP BY 1`;
  assert.deepEqual([...differences], []);
});
