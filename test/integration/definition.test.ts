/**
 * Writes that bypass the triggers: each gap that can be closed is closed, and others are repaired.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { indexAllTexts } from '../../perf/support/texts.ts';
import { createGenerationSource } from '../../src/cache/generation-source.ts';
import { errorCode, isOutOfReach } from '../../src/database/connection-lost.ts';
import { watchDefinition } from '../../src/database/maintenance/definition-watch.ts';
import { createBackground } from '../../src/telemetry/background.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { faultOf, recountAll } from '../support/definition.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../support/postgres.ts';
import { eventually } from '../support/service.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase('definition');
  await database.sql`
    INSERT INTO tasks (title, status)
    SELECT 'Task ' || n, (ARRAY['pending', 'done', 'canceled'])[1 + n % 3] FROM generate_series(1, 500) AS n`;
  await indexAllTexts(database.sql);
  await assertRight();
});

afterEach(() => database?.drop());

const statuses = ['pending', 'in_progress', 'completed', 'done', 'canceled'];
const counts = ['total', ...statuses].join(', ');
const countsOfTasks = `count(*) AS total, ${statuses.map((status) => `count(*) FILTER (WHERE status = '${status}') AS ${status}`).join(', ')}`;

/** @returns the generation. */
async function assertRight(): Promise<bigint> {
  const { sql } = database;
  const [state] = await sql.unsafe(`SELECT ${counts} FROM tasks_state`);
  const [tasks] = await sql.unsafe(`SELECT ${countsOfTasks} FROM tasks`);
  assert.deepEqual({ ...state }, { ...tasks });
  const blocks = await sql.unsafe(
    `SELECT block, ${counts} FROM tasks_blocks WHERE total > 0 ORDER BY 1`,
  );
  const counted = await sql.unsafe(
    `SELECT id >> 14 AS block, ${countsOfTasks} FROM tasks GROUP BY 1 ORDER BY 1`,
  );
  assert.deepEqual([...blocks], [...counted]);
  assert.deepEqual([...(await sql`SELECT FROM tasks_steps`)], []);
  const lost = await sql`
    SELECT id FROM tasks AS task FULL JOIN tasks_texts AS known USING (id)
    WHERE (tasks_fold(task.title) COLLATE "C" = known.title
      AND tasks_fold(task.description) COLLATE "C" = known.description) IS NOT TRUE
      AND id NOT IN (SELECT id FROM tasks_unindexed)`;
  assert.deepEqual([...lost], []);
  const [row] = await sql<{ generation: string }[]>`SELECT generation FROM tasks_state`;
  return BigInt(row!.generation);
}

const changes: Readonly<Record<string, readonly string[]>> = {
  inserts: [`INSERT INTO tasks (title) SELECT 'more ' || n FROM generate_series(1, 50) AS n`],
  updates: [
    `UPDATE tasks SET status = 'in_progress', title = 'Other ' || id WHERE id % 7 = 0`,
    `UPDATE tasks SET id = DEFAULT WHERE id = 4`,
    `UPDATE tasks SET description = 'more' WHERE id = 5`,
  ],
  removals: [`DELETE FROM tasks WHERE id % 5 = 0`],
  truncates: [
    `INSERT INTO tasks (title) VALUES ('gone at once')`,
    `TRUNCATE tasks`,
    `INSERT INTO tasks (title, status) VALUES ('after', 'done')`,
  ],
  'spreads over blocks': [
    `INSERT INTO tasks (id, title) OVERRIDING SYSTEM VALUE SELECT n * 10000, 'far' FROM generate_series(1, 20) AS n`,
    `UPDATE tasks SET id = DEFAULT WHERE id > 100000`,
  ],
  'undoes a part': [
    `SAVEPOINT before`,
    `INSERT INTO tasks (title) VALUES ('never')`,
    `ROLLBACK TO before`,
    `UPDATE tasks SET status = 'done' WHERE id = 1`,
  ],
  'wants all at once': [
    `SET CONSTRAINTS ALL IMMEDIATE`,
    `INSERT INTO tasks (title) VALUES ('one')`,
    `INSERT INTO tasks (title) VALUES ('two')`,
    `UPDATE tasks SET status = 'done' WHERE title IN ('one', 'two')`,
    `SET CONSTRAINTS ALL DEFERRED`,
    `INSERT INTO tasks (title) VALUES ('three')`,
  ],
  'changes its role on the way': [
    `INSERT INTO tasks (title) VALUES ('one')`,
    `SET LOCAL session_replication_role = origin`,
    `INSERT INTO tasks (title) VALUES ('two')`,
    `UPDATE tasks SET status = 'done' WHERE id < 9`,
    `SET LOCAL session_replication_role = replica`,
    `DELETE FROM tasks WHERE id < 5`,
  ],
};
for (const [name, statements] of Object.entries(changes)) {
  test(`a session of replication that ${name} is counted as others are`, async () => {
    const before = await assertRight();
    await database.sql.begin(async (session) => {
      await session`SET LOCAL session_replication_role = replica`;
      for (const statement of statements) await session.unsafe(statement);
    });
    assert.ok((await assertRight()) > before);
    assert.equal(await faultOf(database.config), undefined);
  });
}

test('a session of replication that takes its transaction back leaves nothing', async () => {
  const before = await assertRight();
  await assert.rejects(
    database.sql.begin(async (session) => {
      await session`SET LOCAL session_replication_role = replica`;
      await session`DELETE FROM tasks WHERE id < 100`;
      throw new Error('changed my mind');
    }),
  );
  assert.equal(await assertRight(), before);
});

test('a session of replication may change very many tasks in one transaction', async () => {
  await database.sql.begin(async (session) => {
    await session`SET LOCAL session_replication_role = replica`;
    await session`INSERT INTO tasks (title) SELECT 'bulk ' || n FROM generate_series(1, 20000) AS n`;
  });
  await assertRight();
});

/** What an owner may do, and the fault that is found then. */
const holes: readonly (readonly [name: string, fault: RegExp, ...statements: string[]])[] = [
  [
    'triggers that are off while somebody writes',
    /triggers are off/,
    'ALTER TABLE tasks DISABLE TRIGGER ALL',
    `INSERT INTO tasks (title, status) VALUES ('unseen', 'done')`,
    `UPDATE tasks SET title = 'unseen, too' WHERE id = 3`,
  ],
  [
    'pg_restore --disable-triggers',
    /triggers are off, or missing: .*tasks_row_changed/,
    'ALTER TABLE tasks DISABLE TRIGGER ALL',
    `COPY tasks (title) FROM PROGRAM 'echo restored'`,
    'ALTER TABLE tasks ENABLE TRIGGER ALL',
    `INSERT INTO tasks (title) VALUES ('afterwards')`,
  ],
  [
    'triggers that were off for a while',
    /counts are not those of the tasks/,
    'ALTER TABLE tasks DISABLE TRIGGER USER',
    `UPDATE tasks SET status = 'in_progress' WHERE id < 10`,
    'SELECT tasks_mend_triggers()',
  ],
  [
    'texts that changed meanwhile',
    /index of texts lacks tasks/,
    'ALTER TABLE tasks DISABLE TRIGGER USER',
    `UPDATE tasks SET title = 'Other ' || id`,
    'SELECT tasks_mend_triggers()',
    // Enough rows that a random check finds them.
    `INSERT INTO tasks (id, title) OVERRIDING SYSTEM VALUE SELECT 1000 + n, 'x' FROM generate_series(1, 15384) AS n`,
    `ALTER TABLE tasks DISABLE TRIGGER USER`,
    `UPDATE tasks SET title = 'y' || id`,
    'SELECT tasks_mend_triggers()',
  ],
  [
    'ALTER TABLE ... USING',
    /written anew/,
    `ALTER TABLE tasks ALTER COLUMN title TYPE text USING upper(title) || '!'`,
  ],
  [
    'a constraint trigger that is off',
    /tasks_steps_added/,
    'ALTER TABLE tasks_steps DISABLE TRIGGER ALL',
  ],
];

for (const [name, fault, ...statements] of holes) {
  test(`a write past the triggers is noticed and repaired, told once: ${name}`, async () => {
    const { sql } = database;
    const before = await assertRight();
    for (const statement of statements) await sql.unsafe(statement);
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({
      level: 'info',
      role: 'test',
      pretty: false,
      write: (line) => lines.push(JSON.parse(line)),
    });
    const watch = watchDefinition({
      database: database.config,
      log,
      work: createBackground(log, isOutOfReach).work('tables'),
      intervalMs: 20,
    });
    try {
      await eventually(() => watch.state().repairs > 0, 'it was not repaired');
    } finally {
      await watch.stop();
    }
    const found = String(lines[0]!['fault']);
    assert.match(found, fault);
    // VACUUM FULL does no more. The check may also find texts, because it starts at random.
    const isHarmless = found === 'the table was written anew';
    assert.deepEqual(
      lines.map(({ level }) => level),
      [isHarmless ? 'info' : 'warn', 'info'],
    );
    assert.deepEqual(watch.state(), { isIntact: true, repairs: 1 });
    assert.ok((await assertRight()) > before);
    await sql`INSERT INTO tasks (title) VALUES ('counted again')`;
    await assertRight();
    assert.equal(await faultOf(database.config), undefined);
  });
}

test('damage that only the owner can repair is reported, and nothing is hidden', async () => {
  const { sql } = database;
  const role = `watcher_${process.pid}`;
  await sql.unsafe(`CREATE ROLE ${role} LOGIN`);
  try {
    await sql.unsafe(
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    await sql`ALTER TABLE tasks DISABLE TRIGGER tasks_updated`;
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({
      level: 'info',
      role: 'test',
      pretty: false,
      write: (line) => lines.push(JSON.parse(line)),
    });
    const background = createBackground(log, isOutOfReach);
    const watch = watchDefinition({
      database: { ...database.config, user: role },
      log,
      work: background.work('tables'),
      intervalMs: 20,
    });
    await eventually(() => background.states()[0]!.failures > 2, 'it was not tried again');
    assert.deepEqual(watch.state(), { isIntact: false, repairs: 0 });
    assert.equal(lines.length, 2);
    assert.match(String(lines[1]!['reason']), /make db-recount/);
    assert.notEqual((await recountAll(database.config)).triggers, 0);
    await eventually(() => watch.state().isIntact, 'it was not seen that it is repaired');
    await watch.stop();
  } finally {
    await sql.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

const triesMax = 100;

/**
 * The statement that raises the limit runs under the old one, so on a busy machine the server may
 * cancel it. A statement that does not raise it is cancelled each time.
 */
async function unlessCancelled<Result>(use: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await use();
    } catch (error) {
      if (errorCode(error) !== '57014' || tries === triesMax) throw error;
    }
  }
}

test('a recount has its own time, also behind a pooler where a role has little', async () => {
  const { sql, config } = database;
  await sql.unsafe(`ALTER DATABASE "${config.name}" SET statement_timeout = 1`);
  const pooled = { ...config, pooler: 'transaction' } as const;
  assert.equal(await unlessCancelled(() => faultOf(pooled)), undefined);
  assert.equal((await unlessCancelled(() => recountAll(pooled))).tasks, 500);
});

test('a recount gives way to a transaction that is open, and comes again', async () => {
  const { sql, config } = database;
  const background = createBackground(silentLog, isOutOfReach);
  const work = background.work('tables');
  await sql.unsafe(`ALTER TABLE tasks DISABLE TRIGGER tasks_inserted`);
  const session = await sql.reserve();
  await session.unsafe(`BEGIN; INSERT INTO tasks (title) VALUES ('not counted')`);
  const watch = watchDefinition({ database: config, log: silentLog, work, intervalMs: 20 });
  try {
    await eventually(() => background.states()[0]!.failures > 0, 'it held up all writers');
    await session`COMMIT`;
    await eventually(() => watch.state().isIntact, 'it did not come again');
    await assertRight();
  } finally {
    session.release();
    await watch.stop();
  }
});

test('a recount finds nothing wrong where nothing is, and steps the generation', async () => {
  const before = await assertRight();
  assert.deepEqual(await recountAll(database.config), {
    tasks: 500,
    triggers: 0,
    counts: 0,
    blocks: 0,
    texts: 0,
    wasRewritten: false,
  });
  assert.equal(await assertRight(), before + 1n);
});

test('a recount says that a trigger is missing', async () => {
  await database.sql`DROP TRIGGER tasks_updated ON tasks`;
  await assert.rejects(
    recountAll(database.config),
    /the trigger tasks_updated of tasks is missing/,
  );
  assert.match((await faultOf(database.config))!, /tasks_updated/);
});

test('a table that was written anew is another era for what is cached', async () => {
  const source = createGenerationSource({
    database: database.config,
    applicationName: 'definition',
    timeoutMs: 10_000,
  });
  try {
    const before = await source.read();
    assert.deepEqual(await source.read(), before);
    await database.sql.unsafe(`ALTER TABLE tasks ALTER COLUMN title TYPE text USING title || '!'`);
    assert.notEqual((await source.read()).era, before.era);
  } finally {
    await source.close();
  }
});

test('each table has a primary key, so a publication for all tables stops nobody', async () => {
  const { sql } = database;
  const without = await sql`
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)`;
  assert.deepEqual([...without], []);
});

for (const [column, value] of [
  ['created_at', 'infinity'],
  ['created_at', '-infinity'],
  ['updated_at', 'infinity'],
  ['updated_at', '10000-01-01 00:00:00+00'],
  ['created_at', '9999-12-31 23:59:59.9996+00'],
  ['created_at', '0001-12-31 23:59:59 BC'],
  ['id', '0'],
  ['id', '9007199254740992'],
] as const) {
  test(`values that the API cannot say are refused by the table: ${column} ${value}`, async () => {
    await assert.rejects(
      database.sql.unsafe(
        `INSERT INTO tasks (title, ${column}) OVERRIDING SYSTEM VALUE VALUES ('x', '${value}')`,
      ),
      { code: '23514' },
    );
  });
}
