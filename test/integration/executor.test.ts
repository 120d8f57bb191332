import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  hasKeyFlag,
  hasVersionsFlag,
  type RequestItem,
  type ResponseItem,
  wantsProblemFlag,
} from '../../src/batching/frames.ts';
import type { TaskKind } from '../../src/contract/endpoints.ts';
import { problemCodes } from '../../src/contract/problems.ts';
import { createExecutor, type Executor } from '../../src/tasks/executor.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let executor: Executor;

before(async () => {
  database = await createTestDatabase('executor');
  executor = createExecutor({
    database: database.config,
    applicationName: 'executor test',
    statementTimeoutMs: 2000,
  });
  await executor.warm();
});

after(async () => {
  await executor?.close();
  await database?.drop();
});

interface Answer {
  readonly status: number;
  readonly problem: string | null;
  readonly version: number;
  readonly body: { data: Record<string, unknown> & unknown[]; meta: unknown; errors: unknown[] };
}

async function execute(kind: TaskKind, items: readonly Partial<RequestItem>[]): Promise<Answer[]> {
  const whole = items.map((item) => {
    return { id: 0, flags: 0, body: new Uint8Array(0), extra: '', ...item };
  });
  return (await executor.execute(kind, whole)).items.map(toAnswer);
}

function toAnswer(item: ResponseItem): Answer {
  const text = Buffer.from(item.body).toString();
  return {
    status: item.status,
    problem: item.problem === 0 ? null : problemCodes[item.problem - 1]!,
    version: item.version,
    body: text.startsWith('{') ? JSON.parse(text) : undefined,
  };
}

const json = (value: unknown): { body: Uint8Array } => ({
  body: Buffer.from(JSON.stringify(value)),
});

async function createTask(fields: Readonly<Record<string, unknown>> = {}): Promise<number> {
  const [answer] = await execute('create', [json({ title: 'a task', ...fields })]);
  assert.equal(answer?.status, 201);
  return answer.body.data['id'] as number;
}

async function generation(): Promise<bigint> {
  const [row] = await database.sql<{ generation: string }[]>`SELECT generation FROM tasks_state`;
  return BigInt(row!.generation);
}

test('a batch of creates is answered in the order of its requests, by one statement', async () => {
  const before = await generation();
  const titles = Array.from({ length: 100 }, (_, place) => `number ${place}`);
  const answers = await execute(
    'create',
    titles.map((title) => json({ title })),
  );
  assert.deepEqual(
    answers.map((answer) => answer.body.data['title']),
    titles,
  );
  const ids = answers.map((answer) => answer.body.data['id'] as number);
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
  assert.equal(await generation(), before + 1n);
});

test('texts that look like the syntax of arrays and of SQL are stored as they are', async () => {
  const texts = [
    'NULL',
    '{}',
    '{a,b}',
    'a,b',
    '"quoted"',
    "it's",
    'back\\slash',
    '\\"',
    ' padded ',
    "'; DROP TABLE tasks; --",
    'line\nbreak\ttab',
    'x\u2028\u2029y',
    '😀 é ü 漢字',
    '$1',
    '%s',
    '\\x41',
    'a\u0001b',
    '\u007f',
  ];
  const created = await execute(
    'create',
    texts.map((text) => json({ title: text, description: text })),
  );
  const read = await execute(
    'read',
    created.map(({ body }) => ({ id: body.data['id'] as number })),
  );
  assert.deepEqual(
    read.map(({ body }) => body.data['title']),
    texts,
  );
  assert.deepEqual(
    read.map(({ body }) => body.data['description']),
    texts,
  );
  assert.deepEqual(
    read.map(({ body }) => body.data),
    created.map(({ body }) => body.data),
  );
});

test('a batch of reads answers the same id twice and leaves out what does not exist', async () => {
  const id = await createTask();
  const answers = await execute('read', [{ id }, { id: 2 ** 52 }, { id }]);
  assert.deepEqual(
    answers.map(({ status, problem }) => [status, problem]),
    [
      [200, null],
      [404, 'not_found'],
      [200, null],
    ],
  );
});

test('invalid bodies are answered with their faults and the rest of the batch is written', async () => {
  const before = await generation();
  const answers = await execute('create', [
    json({ title: 'good' }),
    json({ title: '' }),
    { body: Buffer.from('{') },
    { ...json({ titel: 'x' }), flags: wantsProblemFlag },
    json({ title: 'good too' }),
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [201, 400, 400, 400, 201],
  );
  assert.equal((answers[3]!.body as unknown as { type: string }).type, 'about:blank');
  assert.equal(await generation(), before + 1n);
});

test('a batch of invalid bodies alone runs no statement', async () => {
  const before = await generation();
  await execute('create', [json({}), json([])]);
  assert.equal(await generation(), before);
});

test('changes write what they name, raise the version and leave the rest', async () => {
  const [first, second] = [
    await createTask({ description: 'kept', assigneeID: 5 }),
    await createTask({ status: 'done' }),
  ];
  const [one, missing, two] = await execute('change', [
    { id: first, ...json({ title: 'new' }) },
    { id: 2 ** 52, ...json({ title: 'nobody' }) },
    { id: second, ...json({ description: 'd', assigneeID: null, status: 'canceled' }) },
  ]);
  assert.deepEqual([one?.status, one?.version], [200, 2]);
  const { createdAt, updatedAt, ...rest } = one!.body.data;
  assert.deepEqual(rest, {
    id: first,
    title: 'new',
    description: 'kept',
    status: 'pending',
    assigneeID: 5,
  });
  assert.ok((updatedAt as string) >= (createdAt as string));
  assert.equal(missing?.problem, 'not_found');
  assert.deepEqual(
    [two?.body.data['title'], two?.body.data['status'], two?.body.data['assigneeID']],
    ['a task', 'canceled', 0],
  );
});

test('a removal answers each id once and a missing one with not_found', async () => {
  const id = await createTask();
  const answers = await execute('remove', [{ id }, { id: 2 ** 52 }]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 404],
  );
  const [again] = await execute('remove', [{ id }]);
  assert.equal(again?.problem, 'not_found');
});

test('only the row that makes a statement fail fails', async () => {
  await database.sql`ALTER TABLE tasks ADD CONSTRAINT no_thirteen CHECK (assignee_id <> 13)`;
  try {
    const assignees = [11, 12, 13, 14];
    const answers = await execute(
      'create',
      assignees.map((assigneeID) => json({ title: 'x', assigneeID })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 422, 201],
    );
    assert.equal(answers[2]?.problem, 'rejected');
    const [row] = await database.sql<{ count: string }[]>`
      SELECT count(*) AS count FROM tasks WHERE assignee_id IN (11, 12, 13, 14)`;
    assert.equal(row?.count, '3');
  } finally {
    await database.sql`ALTER TABLE tasks DROP CONSTRAINT no_thirteen`;
  }
});

test('batches that change the same rows in opposite orders do not deadlock', async () => {
  const ids = [];
  for (let place = 0; place < 20; place++) ids.push(await createTask());
  const other = createExecutor({
    database: database.config,
    applicationName: 'the other executor',
    statementTimeoutMs: 5000,
  });
  const change = (order: readonly number[]) =>
    order.map((id) => ({ id, flags: 0, extra: '', ...json({ title: `v${id}` }) }));
  // So that their physical order differs from that of their ids.
  for (const id of [...ids].reverse()) await other.execute('change', change([id]));
  const statuses = new Set<number>();
  for (let round = 0; round < 30; round++) {
    const batches = await Promise.all([
      executor.execute('change', change(ids)),
      other.execute('change', change([...ids].reverse())),
    ]);
    for (const { items } of batches) for (const { status } of items) statuses.add(status);
  }
  assert.deepEqual([...statuses], [200]);
  const remove = (order: readonly number[]) =>
    order.map((id) => ({ id, flags: 0, extra: '', body: new Uint8Array(0) }));
  const [changed, removed] = await Promise.all([
    executor.execute('change', change(ids)),
    other.execute('remove', remove([...ids].reverse())),
  ]);
  await other.close();
  assert.deepEqual([...new Set(removed.items.map(({ status }) => status))], [204]);
  // All before the removal, or all after it.
  assert.equal(new Set(changed.items.map(({ status }) => status)).size, 1);
});

test('nothing reads all of the table of the one row of state, which may have many pages', async () => {
  const alone = await createTestDatabase('executor and state');
  const other = createExecutor({
    database: alone.config,
    applicationName: 'the executor alone',
    statementTimeoutMs: 5000,
  });
  const scans = async () => {
    const [row] = await alone.sql<{ all: string; byKey: string }[]>`
      SELECT seq_scan AS all, idx_scan AS "byKey" FROM pg_stat_user_tables WHERE relname = 'tasks_state'`;
    return { all: Number(row!.all), byKey: Number(row!.byKey) };
  };
  const item = (fields: Partial<RequestItem>) => {
    return { id: 0, flags: 0, extra: '', body: new Uint8Array(0), ...fields };
  };
  const query = { page: 1, perPage: 1, terms: [], order: { field: 'id', descending: false } };
  const before = await scans();
  await other.execute('create', [item(json({ title: 'one' }))]);
  await other.execute('create', [item(json({ title: 'two' })), item(json({ title: 'three' }))]);
  await other.execute('change', [item({ id: 1, ...json({ title: 'changed' }) })]);
  await other.execute('remove', [item({ id: 1 })]);
  await other.readLists('list', [{ query: json(query).body }]);
  // A session tells what it has counted when it ends.
  await other.close();
  const deadline = Date.now() + 5000;
  while ((await scans()).byKey - before.byKey < 5 && Date.now() < deadline) await sleep(20);
  const after = await scans();
  await alone.drop();
  // Each of the five, and the statements prepared after them.
  assert.ok(after.byKey - before.byKey >= 5);
  assert.equal(after.all - before.all, 0);
});

test('the time of a statement is the database’s, without the wait for the connection', async () => {
  const id = await createTask();
  const narrow = createExecutor({
    database: database.config,
    applicationName: 'the narrow executor',
    statementTimeoutMs: 20_000,
    connections: 1,
  });
  const item = { id, flags: 0, extra: '', body: new Uint8Array(0) };
  await narrow.execute('read', [item]);
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE`;
  const began = performance.now();
  const change = narrow.execute('change', [{ ...item, ...json({ title: 'waits' }) }]);
  for (;;) {
    const waits = await database.sql`
      SELECT FROM pg_stat_activity
      WHERE wait_event_type = 'Lock' AND application_name LIKE 'the narrow executor%'`;
    if (waits.length > 0) break;
    await sleep(10);
  }
  const readBegan = performance.now();
  const read = narrow.execute('read', [item]);
  await sleep(300);
  const held = performance.now() - readBegan;
  await holder`ROLLBACK`;
  holder.release();
  const [changed, found] = await Promise.all([change, read]);
  const ended = performance.now();
  assert.deepEqual([changed.items[0]!.status, found.items[0]!.status], [200, 200]);
  const changedMs = changed.timing.statementUs / 1000;
  assert.ok(changedMs >= held, `the change took ${changedMs} of ${held} ms`);
  const readMs = found.timing.statementUs / 1000;
  assert.ok(readMs > 0 && readMs <= ended - began - changedMs, `the read took ${readMs} ms`);
  const { endedAt } = found.timing;
  assert.ok(endedAt > changed.timing.endedAt && endedAt <= ended, `it ended at ${endedAt}`);
  // It needs no statement.
  const refused = await narrow.execute('create', [{ ...item, ...json({}) }]);
  assert.deepEqual([refused.items[0]!.status, refused.timing.statementUs], [400, 0]);
  assert.ok(refused.timing.endedAt >= ended);
  await narrow.close();
});

test('a lock that is held too long is unavailable and leaves nothing behind', async () => {
  const id = await createTask();
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`UPDATE tasks SET title = 'held' WHERE id = ${id}`;
  const [answer] = await execute('change', [{ id, ...json({ title: 'waiting' }) }]);
  await holder`ROLLBACK`;
  holder.release();
  assert.deepEqual([answer?.status, answer?.problem], [503, 'unavailable']);
  const [read] = await execute('read', [{ id }]);
  assert.equal(read?.body.data['title'], 'a task');
});

test('the other rows of a batch are written when somebody holds one', async () => {
  const ids = [await createTask(), await createTask(), await createTask()];
  const holder = await database.sql.reserve();
  await holder`BEGIN`;
  await holder`SELECT FROM tasks WHERE id = ${ids[1]!} FOR UPDATE`;
  const change = (title: string) => ids.map((id) => ({ id, ...json({ title }) }));
  const first = await execute('change', change('once'));
  // A retry: the late task is remembered and runs after the others.
  const second = await execute('change', change('twice'));
  const removed = await execute('remove', [{ id: ids[1]! }, { id: ids[2]! }]);
  await holder`ROLLBACK`;
  holder.release();
  for (const answers of [first, second]) {
    assert.deepEqual(
      answers.map(({ status, problem }) => problem ?? status),
      [200, 'unavailable', 200],
    );
  }
  assert.deepEqual(
    removed.map(({ status, problem }) => problem ?? status),
    ['unavailable', 204],
  );
  const read = await execute('read', [{ id: ids[0]! }, { id: ids[1]! }]);
  assert.deepEqual(
    read.map(({ body }) => body.data['title']),
    ['twice', 'a task'],
  );
  const [late] = await execute('change', [{ id: ids[1]!, ...json({ title: 'in the end' }) }]);
  assert.deepEqual([late?.status, late?.version], [200, 2]);
});

test('a rule that gives another statement is said to be unavailable, and nothing happens', async () => {
  const id = await createTask();
  await database.sql`CREATE RULE stay AS ON DELETE TO tasks DO INSTEAD NOTHING`;
  try {
    const [plain] = await execute('remove', [{ id }]);
    const [conditional] = await execute('remove', [{ id, flags: hasVersionsFlag, extra: '1' }]);
    assert.deepEqual([plain?.problem, conditional?.problem], ['unavailable', 'unavailable']);
  } finally {
    await database.sql`DROP RULE stay ON tasks`;
  }
  const [removed] = await execute('remove', [{ id }]);
  assert.equal(removed?.status, 204);
});

test('reads go on after their connection was ended by the server', async () => {
  const id = await createTask();
  await database.sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'executor test read' AND datname = current_database()`;
  const [answer] = await execute('read', [{ id }]);
  assert.equal(answer?.status, 200);
});

/** A trigger that executes the description of a task as SQL. */
async function withTriggerThatRuns(use: () => Promise<void>): Promise<void> {
  await database.sql.unsafe(`
    CREATE FUNCTION runs_description() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.description LIKE 'SET %' THEN EXECUTE NEW.description; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER runs_description BEFORE INSERT ON tasks
      FOR EACH ROW EXECUTE FUNCTION runs_description()`);
  try {
    await use();
  } finally {
    await database.sql.unsafe('DROP TRIGGER runs_description ON tasks');
    await database.sql.unsafe('DROP FUNCTION runs_description()');
  }
}

test('a trigger that sets another time zone shifts no time of an answer', async () => {
  await withTriggerThatRuns(async () => {
    for (const zone of ['Asia/Tokyo', 'America/St_Johns', 'UTC']) {
      const description = `SET LOCAL TIME ZONE '${zone}'`;
      const extra = randomUUID();
      for (const draft of [{}, { flags: hasKeyFlag, extra }, { flags: hasKeyFlag, extra }]) {
        const [, answer] = await execute('create', [
          json({ title: 'beside' }),
          { ...json({ title: 'zone', description }), ...draft },
        ]);
        assert.equal(answer?.status, 201);
        const { data } = answer.body;
        const [row] = await database.sql<{ ms: string }[]>`
          SELECT (extract(epoch FROM created_at) * 1000)::bigint::text AS ms
          FROM tasks WHERE id = ${data['id'] as number}`;
        assert.equal(Date.parse(data['createdAt'] as string), Number(row!.ms));
      }
    }
  });
});

test('a trigger that changes what texts of a session mean spoils no answer and no later write', async () => {
  await withTriggerThatRuns(async () => {
    const settings = [
      "SET client_encoding = 'LATIN1'",
      "SET DateStyle = 'German'",
      "SET TIME ZONE 'Asia/Tokyo'",
      "SET LOCAL DateStyle = 'German'",
    ];
    for (const description of settings) {
      const title = `Gr\u00fc\u00dfe ${description}`;
      const [changed] = await execute('create', [json({ title, description })]);
      if (changed!.status === 201) checkTimes(changed!);
      else assert.equal(changed!.problem, 'outcome_unknown', description);
      const [next] = await execute('create', [json({ title })]);
      assert.equal(next?.status, 201, description);
      checkTimes(next);
      assert.equal(next.body.data['title'], title);
      const [{ stored } = { stored: '' }] = await database.sql<{ stored: string }[]>`
        SELECT title AS stored FROM tasks WHERE id = ${next.body.data['id'] as number}`;
      assert.equal(stored, title, description);
    }
  });

  function checkTimes({ body }: Answer): void {
    const { createdAt } = body.data;
    assert.match(createdAt as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.parse(createdAt as string) - Date.now()) < 3_600_000);
  }
});
