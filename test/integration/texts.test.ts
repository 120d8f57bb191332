/**
 * The text index behind the writes. Its invariant in every snapshot: the current texts of a task
 * are in tasks_texts, or its id is in tasks_unindexed.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { indexTexts } from '../../perf/support/texts.ts';
import { parseListQuery } from '../../src/contract/list-query.ts';
import { type Client, createClient } from '../../src/database/client.ts';
import { startTextIndexer } from '../../src/database/maintenance/text-indexer.ts';
import { migrateDown, migrateUp } from '../../src/database/migrate/migrate.ts';
import { readMigrations } from '../../src/database/migrate/migrations.ts';
import { openPipeline, type Pipeline } from '../../src/database/pipeline/pipeline.ts';
import { createPreparedShapes } from '../../src/tasks/prepared-shapes.ts';
import { listTasks } from '../../src/tasks/statements.ts';
import { quietWork } from '../support/background.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let sql: Client;
let pipelines: readonly [Pipeline, Pipeline];

beforeEach(async () => {
  database = await createTestDatabase('texts');
  sql = database.sql;
  const open = () =>
    openPipeline(database.config, {
      applicationName: 'texts searches',
      statementTimeoutMs: 30_000,
      onClose: () => undefined,
    });
  pipelines = [open(), open()];
});

afterEach(async () => {
  await Promise.all(pipelines.map((pipeline) => pipeline.close()));
  await database?.drop();
});

describe('what is not indexed yet', () => {
  test('is each task that is created, by whoever', async () => {
    await sql`INSERT INTO tasks (title) VALUES ('one'), ('two')`;
    const copy = await sql`COPY tasks (title) FROM STDIN`.writable();
    await new Promise<void>((done, reject) => {
      copy.once('error', reject).once('finish', done);
      copy.end('three\nfour\n');
    });
    assert.deepEqual(await unindexed(), [1, 2, 3, 4]);
    await assertPromise(sql);
  });

  test('is a task whose texts change, and no other', async () => {
    await sql`INSERT INTO tasks (title, description) SELECT 'task ' || n, '' FROM generate_series(1, 6) AS n`;
    await indexAll();
    assert.deepEqual(await unindexed(), []);
    await sql`UPDATE tasks SET status = 'done', title = title, version = version + 1`;
    assert.deepEqual(await unindexed(), []);
    await sql`UPDATE tasks SET title = upper(title), assignee_id = 7 WHERE id <= 2`;
    await sql`UPDATE tasks SET description = 'more' WHERE id = 4`;
    await sql`
      INSERT INTO tasks (id, title) OVERRIDING SYSTEM VALUE VALUES (5, 'x')
      ON CONFLICT (id) DO UPDATE SET title = 'five'`;
    await sql`
      MERGE INTO tasks USING (VALUES (6)) AS given (id) ON tasks.id = given.id
      WHEN MATCHED THEN UPDATE SET title = 'six'`;
    assert.deepEqual(await unindexed(), [1, 2, 4, 5, 6]);
    await assertPromise(sql);
  });

  test('is a task that is gone, until its texts are, and one whose id changes', async () => {
    await sql`INSERT INTO tasks (title) VALUES ('one'), ('two'), ('three')`;
    await indexAll();
    await sql`DELETE FROM tasks WHERE id = 2`;
    await sql`UPDATE tasks SET id = DEFAULT WHERE id = 3`;
    assert.deepEqual(await unindexed(), [2, 3, 4]);
    await indexAll();
    assert.deepEqual(await texts(), ['1 one', '4 three']);
  });

  test('is nothing after TRUNCATE, which takes all texts along', async () => {
    await sql`INSERT INTO tasks (title) VALUES ('one'), ('two')`;
    await indexTexts(sql, 1);
    await sql`TRUNCATE tasks`;
    assert.deepEqual([await unindexed(), await texts()], [[], []]);
    await sql`INSERT INTO tasks (title) VALUES ('three')`;
    await indexAll();
    assert.deepEqual(await texts(), ['3 three']);
  });

  test('is found from a session with any search_path', async () => {
    await sql.begin(async (session) => {
      await session`SET LOCAL search_path = ''`;
      await session`CREATE TEMPORARY TABLE tasks_unindexed (id bigint) ON COMMIT DROP`;
      await session`INSERT INTO public.tasks (title) VALUES ('from elsewhere'), ('gone soon')`;
      await session`UPDATE public.tasks SET title = 'changed' WHERE id = 1`;
      await session`DELETE FROM public.tasks WHERE id = 2`;
      assert.equal((await session`SELECT FROM public.tasks_unindexed`).length, 4);
      await session`SELECT public.tasks_index_texts(100)`;
    });
    assert.deepEqual(await texts(), ['1 changed']);
  });

  test('is taken back with the transaction that wrote it', async () => {
    await assert.rejects(
      sql.begin(async (session) => {
        await session`INSERT INTO tasks (title) VALUES ('never')`;
        throw new Error('changed my mind');
      }),
    );
    assert.deepEqual(await unindexed(), []);
  });
});

describe('indexing', () => {
  test('takes so many ids at most, each once, and says how many', async () => {
    await sql`INSERT INTO tasks (title) SELECT 'task ' || n FROM generate_series(1, 25) AS n`;
    assert.deepEqual(
      [await indexTexts(sql, 10), await indexTexts(sql, 10), await indexTexts(sql, 10)],
      [10, 10, 5],
    );
    assert.equal(await indexTexts(sql, 10), 0);
    assert.equal((await texts()).length, 25);
  });

  test('leaves nothing in the pending list of the index, where each search would read it', async () => {
    await sql`INSERT INTO tasks (title) SELECT 'task ' || md5(n::text) FROM generate_series(1, 3000) AS n`;
    await indexAll();
    const [row] = await sql`SELECT gin_clean_pending_list('tasks_texts_trigrams') AS pages`;
    assert.equal(row!['pages'], '0');
  });

  test('goes on without the index, for whoever has dropped it', async () => {
    await sql`DROP INDEX tasks_texts_trigrams`;
    await sql`INSERT INTO tasks (title) VALUES ('one')`;
    assert.equal(await indexTexts(sql, 10), 1);
  });

  test('is for one at a time: whoever else comes is told so, and waits for nobody', async () => {
    await sql`INSERT INTO tasks (title) VALUES ('one')`;
    await sql.begin(async (first) => {
      await first`SELECT tasks_index_texts(10)`;
      assert.equal(await indexTexts(sql, 10), null);
    });
    assert.equal(await indexTexts(sql, 10), 0);
  });

  test('does not need the rights of the owner', async () => {
    const role = `writer_${process.pid}`;
    await sql.unsafe(`CREATE ROLE ${role}`);
    try {
      await sql.unsafe(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
      );
      await sql.begin(async (session) => {
        await session.unsafe(`SET LOCAL ROLE ${role}`);
        await session`INSERT INTO tasks (title) VALUES ('one')`;
        await session`UPDATE tasks SET title = 'two'`;
        await session`SELECT tasks_index_texts(10)`;
      });
      assert.deepEqual(await texts(), ['1 two']);
    } finally {
      await sql.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test('keeps its promise in every snapshot while others write', async () => {
    const until = performance.now() + 4000;
    const isOver = () => performance.now() > until;
    const client = createClient(database.config, {
      max: 8,
      applicationName: 'texts writers',
      statementTimeoutMs: 30_000,
    });
    const dice = (sides: number) => Math.floor(Math.random() * sides);
    const statements: readonly (() => Promise<unknown>)[] = [
      () => client`INSERT INTO tasks (title) SELECT 'new ' || n FROM generate_series(1, 20) AS n`,
      () =>
        client`UPDATE tasks SET title = title || '.' WHERE assignee_id = 0 AND id % 50 = ${dice(50)}::int`,
      () =>
        client`UPDATE tasks SET title = 'short', description = 'd' WHERE assignee_id = 0 AND id % 90 = ${dice(90)}::int`,
      () =>
        client`UPDATE tasks SET status = 'done' WHERE assignee_id = 0 AND id % 40 = ${dice(40)}::int`,
      () => client`DELETE FROM tasks WHERE assignee_id = 0 AND id % 60 = ${dice(60)}::int`,
      // Its commit comes late, so that no snapshot contains it for a while.
      () =>
        client.begin(async (slow) => {
          await slow`UPDATE tasks SET description = ${`late ${dice(1000)}`} WHERE assignee_id = 0 AND id % 70 = ${dice(70)}::int`;
          await sleep(dice(20));
        }),
    ];
    const writer = async () => {
      while (!isOver()) {
        // Two writers that lock the same tasks in different orders: one gets a deadlock error.
        await statements[dice(statements.length)]!().catch((error: { code?: string }) => {
          if (error.code !== '40P01') throw error;
        });
      }
    };
    let indexed = 0;
    let busy = 0;
    const indexer = async (session: Client) => {
      while (!isOver()) {
        // Few at a time, so that only some of a task's ids are taken.
        const taken = await indexTexts(session, 1 + dice(40));
        if (taken === null) busy++;
        else indexed += taken;
      }
    };
    let checks = 0;
    let searches = 0;
    let waiting = 0;
    const checker = async () => {
      while (!isOver()) {
        waiting += await assertPromise(sql);
        checks++;
      }
    };
    /** A search that starts after a write finds the write's texts, and no others. */
    const searcher = async (name: string) => {
      for (let round = 0; !isOver(); round++) {
        const [row] = await client<{ id: string }[]>`
          INSERT INTO tasks (title, assignee_id) VALUES (${`${name} ${round} made`}, 9) RETURNING id`;
        const id = row!.id;
        assert.deepEqual(await search(pipelines[0], `${name} ${round} made`), [Number(id)]);
        await sleep(dice(10));
        await client`UPDATE tasks SET title = 'other', description = ${`${name} ${round} changed`} WHERE id = ${id}`;
        assert.deepEqual(await search(pipelines[0], `${name} ${round} changed`), [Number(id)]);
        assert.deepEqual(await search(pipelines[0], `${name} ${round} made`), []);
        searches++;
      }
    };
    await Promise.all([
      writer(),
      writer(),
      writer(),
      writer(),
      indexer(client),
      indexer(sql),
      checker(),
      searcher('apple'),
      searcher('pear'),
    ]);
    await client.end({ timeout: 1 });
    const figures = { indexed, busy, checks, waiting, searches };
    for (const [name, figure] of Object.entries(figures))
      assert.ok(figure > 20, `${name}: ${figure}`);
    await indexAll();
    const [row] = await sql`
      SELECT count(*) FROM tasks FULL JOIN tasks_texts AS known USING (id)
      WHERE (tasks_fold(tasks.title) COLLATE "C", tasks_fold(tasks.description) COLLATE "C")
        IS DISTINCT FROM (known.title, known.description)`;
    assert.equal(row!['count'], '0');
  });
});

test('TRUNCATE, writers, searches and indexing never wait for each other crosswise', async () => {
  const until = performance.now() + 2000;
  let rounds = 0;
  const repeat = async (statement: () => Promise<unknown>) => {
    for (; performance.now() < until; rounds++) await statement();
  };
  const other = createClient(database.config, {
    max: 3,
    applicationName: 'texts',
    statementTimeoutMs: 30_000,
  });
  await Promise.all([
    repeat(() => sql`TRUNCATE tasks`.then(() => sleep(5))),
    repeat(
      () => sql`INSERT INTO tasks (title) SELECT 'new ' || n FROM generate_series(1, 20) AS n`,
    ),
    repeat(() => search(pipelines[0], 'new')),
    repeat(() => search(pipelines[1], 'new')),
    repeat(() => indexTexts(sql, 50)),
    repeat(() => other`UPDATE tasks SET title = title || '.' WHERE id % 9 = 1`),
  ]);
  await other.end({ timeout: 1 });
  await assertPromise(sql);
  assert.ok(rounds > 100, String(rounds));
});

describe('the indexer', () => {
  test('indexes what is there and what comes, clears the queue, and stops in order', async () => {
    await sql`INSERT INTO tasks (title) SELECT 'task ' || n FROM generate_series(1, 25000) AS n`;
    const indexer = startTextIndexer({ database: database.config, work: quietWork() });
    const other = startTextIndexer({ database: database.config, work: quietWork() });
    try {
      await until(async () => (await unindexed()).length < 25_000);
      // Patient while there are no searches. A session reports its statistics when it ends.
      await search(pipelines[0], 'task 1');
      await pipelines[0].close();
      await until(async () => (await unindexed()).length === 0);
      await sql`UPDATE tasks SET title = 'changed' WHERE id = 1`;
      await until(async () => (await unindexed()).length === 0);
      assert.equal((await texts())[0], '1 changed');
      // One of the two has taken ten thousand by now.
      await until(async () => {
        const [row] = await sql`
          SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'tasks_unindexed'`;
        return Number(row!['vacuum_count']) > 0;
      });
    } finally {
      await Promise.all([indexer.stop(), other.stop()]);
    }
    await sql`INSERT INTO tasks (title) VALUES ('after')`;
    await sleep(400);
    assert.deepEqual(await unindexed(), [25_001]);
    const [row] = await sql`
      SELECT count(*) FROM pg_stat_activity
      WHERE application_name = 'tasks texts' AND datname = current_database()`;
    assert.equal(row!['count'], '0');
  });

  test('goes on when its session was ended, and waits for a schema that is not there yet', async () => {
    await migrateDown(database.config, silentLog, stepsBackTo(20));
    const indexer = startTextIndexer({ database: database.config, work: quietWork() });
    try {
      await sleep(300);
      await migrateUp(database.config, silentLog);
      await sql`INSERT INTO tasks (title) VALUES ('one')`;
      await until(async () => (await unindexed()).length === 0);
      const ended = await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'tasks texts' AND datname = current_database()`;
      assert.equal(ended.length, 1);
      await sql`INSERT INTO tasks (title) VALUES ('two')`;
      await until(async () => (await unindexed()).length === 0);
    } finally {
      await indexer.stop();
    }
  });

  test('stops soon while the database does not answer', async () => {
    await sql.begin(async (holder) => {
      await holder`LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE`;
      const indexer = startTextIndexer({ database: database.config, work: quietWork() });
      await sleep(300);
      const began = performance.now();
      await indexer.stop();
      // Less than the statement's lock_timeout: it did not wait for that.
      assert.ok(performance.now() - began < 14_000);
    });
  });
});

/** @returns how many migrations to revert until this one is the last. */
function stepsBackTo(version: number): number {
  return readMigrations().filter((migration) => migration.version > version).length;
}

/** @returns how many ids are in the queue, in the same snapshot. */
async function assertPromise(session: Client): Promise<number> {
  const [row] = await session<{ broken: string; waiting: string }[]>`
    SELECT (
      SELECT count(*) FROM tasks AS task LEFT JOIN tasks_texts AS known USING (id)
      WHERE (tasks_fold(task.title) COLLATE "C", tasks_fold(task.description) COLLATE "C")
          IS DISTINCT FROM (known.title, known.description)
        AND task.id NOT IN (SELECT id FROM tasks_unindexed)
    ) AS broken, (SELECT count(*) FROM tasks_unindexed) AS waiting`;
  assert.equal(row!.broken, '0');
  return Number(row!.waiting);
}

/** @returns the ids of the tasks with the text, as the service finds them. */
async function search(session: Pipeline, text: string): Promise<number[]> {
  const parsed = parseListQuery(`filter=${encodeURIComponent(`"${text}"`)}`);
  assert.ok(parsed.ok);
  const plan = { page: 'gather', count: 'gather' } as const;
  const { rows } = await listTasks(session, parsed.query, plan, createPreparedShapes());
  return rows.map(({ id }) => Number(id));
}

async function indexAll(): Promise<void> {
  while ((await indexTexts(sql, 1000)) !== 0);
}

async function unindexed(): Promise<number[]> {
  const rows = await sql`SELECT DISTINCT id FROM tasks_unindexed ORDER BY id`;
  return rows.map(({ id }) => Number(id));
}

async function texts(): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    SELECT id || ' ' || title AS line FROM tasks_texts ORDER BY id`;
  return rows.map(({ line }) => line);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 60_000;
  while (!(await condition())) {
    assert.ok(performance.now() < giveUp, 'it did not happen in a minute');
    await sleep(20);
  }
}
