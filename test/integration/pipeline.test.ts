import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connectionLossOf } from '../../src/database/connection-lost.ts';
import { openPipeline, type Pipeline } from '../../src/database/pipeline/pipeline.ts';
import { readValues } from '../../src/database/pipeline/row.ts';
import { statementName } from '../../src/database/pipeline/statement-name.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const insert = 'INSERT INTO pairs VALUES ($1::int) RETURNING id';

let database: TestDatabase;
let pipeline: Pipeline;
let closed = 0;

before(async () => {
  database = await createTestDatabase('pipeline');
  pipeline = open();
  await pipeline.run('CREATE TABLE pairs (id int PRIMARY KEY)', [], false);
});

after(async () => {
  await pipeline?.close();
  await database?.drop();
});

function open(changes: { host?: string; port?: number } = {}, prelude?: string): Pipeline {
  return openPipeline(
    { ...database.config, ...changes },
    {
      applicationName: 'pipeline',
      statementTimeoutMs: 2000,
      settings: { plan_cache_mode: 'force_generic_plan' },
      prelude,
      onClose: () => {
        closed++;
      },
    },
  );
}

test('pipelined statements are answered in their order, each with its own rows', async () => {
  const text = 'SELECT n, $1 || n FROM generate_series(1, $2::int) AS n';
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, place) => pipeline.run(text, [`${place}-`, String(place)])),
  );
  for (const [place, rows] of answers.entries()) {
    const expected = Array.from({ length: place }, (_, n) => [`${n + 1}`, `${place}-${n + 1}`]);
    assert.deepEqual(rows, expected);
  }
});

test('pipelined statements take and give every text, whatever its bytes, and NULL', async () => {
  const texts = ['', 'ä€😀', '"\\\n\u0001', 'x'.repeat(200_000), '\u{10ffff}'];
  for (const text of texts) {
    assert.deepEqual(await pipeline.run('SELECT $1::text, NULL', [text]), [[text, null]]);
  }
});

test('pipelined statements wait in a session for as long as it takes, whatever the database has for a default', async () => {
  await database.sql.unsafe(
    `ALTER DATABASE ${database.config.name} SET idle_session_timeout = '1min'`,
  );
  const next = open();
  try {
    assert.deepEqual(await next.run('SHOW idle_session_timeout', []), [['0']]);
  } finally {
    await next.close();
    await database.sql.unsafe(`ALTER DATABASE ${database.config.name} RESET idle_session_timeout`);
  }
});

test('pipelined statements fail alone', async () => {
  const divide = (by: number) => pipeline.run('SELECT 6 / $1::int', [String(by)]);
  const answers = await Promise.allSettled([divide(1), divide(0), divide(2), divide(0)]);
  assert.deepEqual(
    answers.map((answer) =>
      answer.status === 'fulfilled' ? answer.value : (answer.reason as { code: string }).code,
    ),
    [[['6']], '22012', [['3']], '22012'],
  );
});

test('pipelined statements run once, whatever code a function of the database chooses to fail with', async () => {
  await database.sql.unsafe(`
    CREATE SEQUENCE runs;
    CREATE FUNCTION fails_with(code text) RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM nextval('runs');
      RAISE EXCEPTION 'no' USING ERRCODE = code;
    END $$`);
  const text = 'SELECT fails_with($1)';
  const codes = ['0A000', '26000', '42804', '42P05', '25P02'];
  for (const code of codes) await assert.rejects(pipeline.run(text, [code]), { code });
  assert.deepEqual(await pipeline.run('SELECT last_value FROM runs', []), [[String(codes.length)]]);
  const failure = await pipeline.run(text, ['25P02']).catch((error: unknown) => error);
  assert.equal(connectionLossOf(failure), undefined);
});

test('pipelined statements say nothing of values in what they fail with', async () => {
  const failure = await pipeline
    .run(`SELECT 1 / (length($1) - 6) AS "secret"`, ['secret'])
    .catch((error: unknown) => error);
  assert.deepEqual(
    { ...(failure as object) },
    {
      code: '22012',
      severity: 'ERROR',
      routine: 'int4div',
      constraint: '',
      hasContext: false,
      isRunning: true,
    },
  );
});

test('pipelined statements tell in their failures whether rows were at work, and which constraint said no', async () => {
  await pipeline.run('CREATE TABLE checked (id int CONSTRAINT small CHECK (id < 9))', [], false);
  const cause = (text: string, ...parameters: string[]) =>
    pipeline.run(text, parameters).catch(({ isRunning, constraint }) => [isRunning, constraint]);
  assert.deepEqual(await cause('INSERT INTO checked VALUES ($1::int)', '10'), [true, 'small']);
  assert.deepEqual(await cause('INSERT INTO checked VALUES ($1::int)', 'ten'), [false, '']);
  assert.deepEqual(await cause('INSERT INTO unchecked VALUES (1)'), [false, '']);
  await pipeline.run(
    `ALTER TABLE checked ADD CONSTRAINT one UNIQUE (id) DEFERRABLE INITIALLY DEFERRED`,
    [],
    false,
  );
  await pipeline.run('INSERT INTO checked VALUES (1)', []);
  // At the commit, after the end of the statement.
  assert.deepEqual(await cause('INSERT INTO checked VALUES (1)'), [true, 'one']);
});

test('pipelined statements are parsed once, and again when the server did not understand them', async () => {
  const text = 'SELECT count(*) FROM not_yet_there';
  await assert.rejects(pipeline.run(text, []), { code: '42P01' });
  await database.sql`CREATE TABLE not_yet_there (id int)`;
  assert.deepEqual(await pipeline.run(text, []), [['0']]);
  assert.deepEqual(await pipeline.run(text, []), [['0']]);
  const kept = await pipeline.run(
    'SELECT statement FROM pg_prepared_statements WHERE statement = $1',
    [text],
  );
  assert.deepEqual(kept, [[text]]);
});

test('pipelined statements are not kept where they should not be', async () => {
  const text = 'SELECT 1 AS one_time';
  await pipeline.run(text, [], false);
  assert.deepEqual(
    await pipeline.run('SELECT 1 FROM pg_prepared_statements WHERE statement = $1', [text]),
    [],
  );
});

test('pipelined statements survive that others throw away what the server keeps', async () => {
  const text = 'SELECT 41 + 1';
  assert.deepEqual(await pipeline.run(text, []), [['42']]);
  await pipeline.run('DEALLOCATE ALL', [], false);
  assert.deepEqual(await Promise.all([pipeline.run(text, []), pipeline.run(text, [])]), [
    [['42']],
    [['42']],
  ]);
});

test('pipelined statements run as themselves where the session has other statements of other clients', async () => {
  const text = 'SELECT 6 * 7';
  const name = statementName(text);
  await pipeline.run('CREATE TABLE victims AS SELECT generate_series(1, 9) AS id', [], false);
  for (const other of [
    `PREPARE "${name}" AS DELETE FROM victims`,
    `PREPARE s1 AS DELETE FROM victims`,
  ]) {
    await pipeline.run(other, [], false);
    assert.deepEqual(await pipeline.run(text, []), [['42']]);
  }
  assert.deepEqual(await pipeline.run('SELECT count(*) FROM victims', []), [['9']]);
});

test('pipelined statements fail, and nothing else does, when who reads their rows throws', async () => {
  const failed = pipeline.read('SELECT 1', [], () => {
    throw new TypeError('a bug');
  });
  const next = pipeline.read('SELECT 2', [], readValues);
  await assert.rejects(failed, TypeError);
  assert.deepEqual(await next, [['2']]);
});

test('statements of one transaction take effect together, and give the rows of each', async () => {
  const one = { text: insert, parameters: ['1'] };
  const count = { text: 'SELECT count(*), $1::text FROM pairs', parameters: ['seen'] };
  assert.deepEqual(await pipeline.together([one, count, { text: insert, parameters: ['2'] }]), [
    [['1']],
    [['1', 'seen']],
    [['2']],
  ]);
});

test('statements of one transaction take no effect when one fails, and the next transaction is whole', async () => {
  const add = (id: string) => ({ text: insert, parameters: [id] });
  const failed = pipeline.together([add('3'), add('1'), add('4')]);
  const next = pipeline.together([add('5'), add('6')]);
  await assert.rejects(failed, { code: '23505' });
  assert.deepEqual(await next, [[['5']], [['6']]]);
  const ids = await pipeline.run("SELECT string_agg(id::text, ',' ORDER BY id) FROM pairs", []);
  assert.deepEqual(ids, [['1,2,5,6']]);
});

test('statements of one transaction run again, as a whole and once, when the server has forgotten one of them', async () => {
  await pipeline.run('DEALLOCATE ALL', [], false);
  const rows = await pipeline.together([
    { text: 'SELECT 1', parameters: [] },
    { text: insert, parameters: ['7'] },
  ]);
  assert.deepEqual(rows, [[['1']], [['7']]]);
});

test('statements of one transaction have the prelude in front of each, but not where a statement runs alone', async () => {
  const withPrelude = open({}, "SELECT set_config('work_mem', '123kB', true)");
  const show = "SELECT current_setting('work_mem')";
  assert.deepEqual(await withPrelude.run(show, []), [['123kB']]);
  assert.deepEqual(await withPrelude.run(show, [], false), [['123kB']]);
  await withPrelude.runAlone('VACUUM pairs');
  await withPrelude.runAlone("CREATE TABLE shown AS SELECT current_setting('work_mem') AS memory");
  const [[kept]] = (await withPrelude.run('SELECT memory FROM shown', [])) as [[string]];
  assert.notEqual(kept, '123kB');
  await withPrelude.close();
});

test('a connection that ends rejects what is under way with what the server said, and the rest as lost', async () => {
  const before = closed;
  const lost = open();
  const [[pid]] = (await lost.run('SELECT pg_backend_pid()', [])) as [[string]];
  const outcomes = Promise.allSettled([
    lost.run('SELECT pg_sleep(2)', []),
    lost.run('SELECT 1', []),
  ]);
  await database.sql`SELECT pg_terminate_backend(${pid})`;
  assert.deepEqual(
    (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code),
    ['57P01', 'CONNECTION_CLOSED'],
  );
  assert.equal(closed, before + 1);
  await assert.rejects(lost.run('SELECT 1', []), { code: 'CLIENT_SPENT' });
});

test('a connection that was never there has sent nothing of what waited', async () => {
  const nobody = createServer().listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address() as { port: number };
  await new Promise((resolve) => nobody.close(resolve));
  await assert.rejects(open({ host: '127.0.0.1', port }).run('SELECT 1', []), {
    code: 'ECONNREFUSED',
  });
});

test('a connection that ends is lost with what is under way, also when it is refused only then', async () => {
  const fields = 'SFATAL\0VFATAL\0C53300\0Mtoo many\0\0';
  const refusal = Buffer.from(
    `E\0\0\0${String.fromCharCode(fields.length + 4)}${fields}`,
    'latin1',
  );
  const { proxy, port } = await startProxy((server) => setTimeout(() => server(refusal), 50));
  const refused = open({ host: '127.0.0.1', port });
  await refused.run('SELECT 1', []);
  // It was sent, so the outcome is unknown.
  await assert.rejects(refused.run('SELECT pg_sleep(30)', []), { code: 'CONNECTION_CLOSED' });
  proxy.close();
});

const lies: Readonly<Record<string, string>> = {
  'what nobody asked for': 'D\0\0\0\x06\0\0',
  'that a message ends before it begins': 'Z\xff\xff\xff\xff',
  'that two gigabytes will come': 'D\x7f\xff\xff\xff',
};
for (const [what, bytes] of Object.entries(lies)) {
  test(`a connection is given up when the server says ${what}`, async () => {
    const lie = Buffer.from(bytes, 'latin1');
    const { proxy, port } = await startProxy((server) => setTimeout(() => server(lie), 50));
    const before = closed;
    const cheated = open({ host: '127.0.0.1', port });
    await cheated.run('SELECT 1', []);
    while (closed === before) await new Promise((resolve) => setTimeout(resolve, 10));
    await assert.rejects(cheated.run('SELECT 1', []), { code: 'CLIENT_SPENT' });
    proxy.close();
  });
}

test('a connection closes behind what is under way, and rejects what takes longer than a second', async () => {
  const quick = open();
  const answer = quick.run("SELECT 'there' FROM pg_sleep(0.2)", []);
  await quick.run('SELECT 1', []).then(() => quick.close());
  assert.deepEqual(await answer, [['there']]);
  const slow = open();
  await slow.run('SELECT 1', []);
  const late = assert.rejects(slow.run('SELECT pg_sleep(1.9)', []), {
    code: 'CONNECTION_DESTROYED',
  });
  await slow.close();
  await late;
});

test('a connection closes when it is let go of, and keeps nobody waiting', async () => {
  const [done, busy] = [open(), open()];
  await Promise.all([done.run('SELECT 1', []), busy.run('SELECT 1', [])]);
  const late = assert.rejects(busy.run('SELECT pg_sleep(1.9)', []));
  const names = [['busy', busy.close()] as const, ['done', done.close()] as const].map(
    ([name, closes]) => closes.then(() => name),
  );
  assert.equal(await Promise.race(names), 'done');
  await Promise.all([...names, late]);
  const unused = open();
  await unused.close();
});

/** Forwards a connection; `more` may send bytes in the server's name once it is ready. */
async function startProxy(
  more: (say: (bytes: Buffer) => void) => void,
): Promise<{ proxy: Server; port: number }> {
  const { host, port: to } = database.config;
  const { connect } = await import('node:net');
  const proxy = createServer((client: Socket) => {
    const server = host.startsWith('/')
      ? connect(`${host}/.s.PGSQL.${to}`)
      : connect({ host, port: to });
    client.pipe(server).pipe(client);
    for (const end of [client, server]) end.on('error', () => undefined);
    let answers = 0;
    server.on('data', (bytes) => {
      // The second ReadyForQuery after the start belongs to the first statement.
      if (bytes.includes('Z\0\0\0\x05I') && ++answers === 3) {
        more((lie) => client.write(lie));
      }
    });
    client.on('close', () => server.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { proxy, port: (proxy.address() as { port: number }).port };
}
