import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createLane, joinLanes, type Lane } from '../../src/database/lane.ts';
import { openPipeline, type Pipeline } from '../../src/database/pipeline/pipeline.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Longer than any delay on a busy machine. */
const statementTimeoutMs = 60_000;
let database: TestDatabase;

before(async () => {
  database = await createTestDatabase('lane');
});

after(() => database?.drop());

function open(
  onClose: () => void,
  config: DatabaseConfig = database.config,
  applicationName = 'lane',
): Pipeline {
  return openPipeline(config, { applicationName, statementTimeoutMs, onClose });
}

function openLane(): Lane {
  return createLane((onClose) => open(onClose), statementTimeoutMs);
}

test('a table that was altered under kept statements never gives one the answer of another', async () => {
  await database.sql`CREATE TABLE altered (id int, text varchar(10))`;
  await database.sql`INSERT INTO altered SELECT n, 'row ' || n FROM generate_series(1, 100) AS n`;
  const lane = openLane();
  const read = (id: number) =>
    lane.run((pipeline) => pipeline.run('SELECT text FROM altered WHERE id = $1', [String(id)]));
  await read(1);
  const ids = Array.from({ length: 20 }, (_, place) => place + 1);
  for (let round = 0; round < 10; round++) {
    await database.sql.unsafe(
      `ALTER TABLE altered ALTER COLUMN text TYPE varchar(${20 + (round % 2)})`,
    );
    await database.sql.unsafe(`ALTER TABLE altered ALTER COLUMN text TYPE text`);
    const answers = await Promise.allSettled(ids.map(read));
    for (const [place, answer] of answers.entries()) {
      if (answer.status === 'fulfilled')
        assert.deepEqual([...answer.value], [[`row ${ids[place]}`]]);
    }
    assert.deepEqual(
      answers.filter(({ status }) => status === 'rejected'),
      [],
      'what did not run runs again',
    );
    const again = await Promise.all(ids.map(read));
    assert.deepEqual(
      again.flatMap((rows) => [...rows]),
      ids.map((id) => [`row ${id}`]),
    );
  }
  await lane.close();
});

test('rows of a statement that failed half way do not stand among those of the next one', async () => {
  const lane = openLane();
  const count = (upTo: number) =>
    lane.run((pipeline) =>
      pipeline.run(
        // Enough bytes that the server sends a part before the failing row.
        `SELECT n, repeat('x', 1000), 1 / (50 - n) FROM generate_series(1, $1::int) AS n`,
        [String(upTo)],
      ),
    );
  await count(3);
  for (let round = 0; round < 3; round++) {
    const [failed, small, none] = await Promise.allSettled([count(100), count(5), count(0)]);
    assert.equal(failed.status, 'rejected');
    assert.deepEqual(small.status === 'fulfilled' && small.value.map((row) => row?.[0]), [
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
    assert.equal(none.status === 'fulfilled' && none.value.length, 0);
  }
  await lane.close();
});

test('a pipeline whose connection is gone makes no other one', async () => {
  let first: Pipeline | undefined;
  const lane = createLane((onClose) => {
    const next = open(onClose, database.config, 'spent');
    first ??= next;
    return next;
  }, 3000);
  const pid = 'SELECT pg_backend_pid()';
  const [[backend]] = (await lane.run((pipeline) => pipeline.run(pid, []))) as [[string]];
  await database.sql`SELECT pg_terminate_backend(${backend})`;
  await new Promise((resolve) => setTimeout(resolve, 200));
  await assert.rejects(first!.run(pid, []), { code: 'CLIENT_SPENT' });
  const rows = await database.sql`
    SELECT 1 FROM pg_stat_activity WHERE application_name = 'spent'`;
  assert.equal(rows.length, 0);
  await lane.run((pipeline) => pipeline.run(pid, []));
  await lane.close();
});

test('every statement that waits for a connection that is refused is told so', async () => {
  const nowhere = { ...database.config, name: 'there_is_no_such_database' };
  const lane = createLane((onClose) => open(onClose, nowhere), 3000);
  const run = () => lane.run((pipeline) => pipeline.run('SELECT 1', []));
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, run));
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code),
    Array.from({ length: 5 }, () => '3D000'),
  );
  await lane.close();
});

test('a statement that says nothing for too long is given up with its connection', async () => {
  const lane = createLane((onClose) => open(onClose), 300);
  await assert.rejects(
    lane.run((pipeline) => pipeline.run('SELECT pg_sleep(50)', [])),
    { code: 'CONNECTION_DESTROYED' },
  );
  assert.deepEqual(await lane.run((pipeline) => pipeline.run('SELECT 1', [])), [['1']]);
  await lane.close();
});

test('joined lanes give a statement to the one with the least to do', async () => {
  const lane = joinLanes([openLane(), openLane()]);
  const holder = await database.sql.reserve();
  await holder`SELECT pg_advisory_lock(1)`;
  let isSlowDone = false;
  const slow = lane
    .run((pipeline) => pipeline.run('SELECT pg_advisory_xact_lock(1)', []))
    .then(() => {
      isSlowDone = true;
    });
  await lane.run((pipeline) => pipeline.run('SELECT 1', []));
  await lane.run((pipeline) => pipeline.run('SELECT 1', []));
  assert.equal(isSlowDone, false);
  await holder`SELECT pg_advisory_unlock(1)`;
  holder.release();
  await slow;
  await lane.close();
});

test('a session that takes no writes is replaced, and what is under way on it is answered', async () => {
  const { name } = database.config;
  await database.sql`CREATE TABLE written (n int)`;
  await database.sql.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const lane = openLane();
  const write = () => lane.run((pipeline) => pipeline.run('INSERT INTO written VALUES (1)', []));
  try {
    await assert.rejects(write(), { code: '25006' });
    await database.sql.unsafe(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    const others: Promise<unknown>[] = [];
    const isWritten = async () => {
      const written = write().then(
        () => true,
        () => false,
      );
      others.push(lane.run((pipeline) => pipeline.run('SELECT pg_sleep(0.1)', [])));
      return written;
    };
    for (let tries = 0; !(await isWritten()); tries++) {
      assert.ok(tries < 200, 'the session is never replaced');
      await sleep(20);
    }
    await Promise.all(others);
    assert.equal((await database.sql`SELECT n FROM written`).length, 1);
  } finally {
    await database.sql.unsafe(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await lane.close();
  }
});
