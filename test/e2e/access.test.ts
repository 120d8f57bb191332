import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi } from '../support/api.ts';
import { assertFetchedDescribed } from '../support/described-bytes.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { runToExit, startService } from '../support/service.ts';

const METRICS_USERNAME = 'who-measures';
const METRICS_PASSWORD = 'hunter2-hunter2';

test('a service in production starts with credentials of its own only', async () => {
  const database = await createTestDatabase('access');
  const production = { ENV: 'production', DB_AUTO_MIGRATE: 'true', SHUTDOWN_DELAY_MS: '0' };
  for (const [given, expected] of [
    [{}, ['METRICS_PASSWORD', 'METRICS_USERNAME']],
    [
      { METRICS_USERNAME: 'admin', METRICS_PASSWORD: 'admin' },
      ['METRICS_PASSWORD', 'METRICS_USERNAME'],
    ],
    [{ METRICS_USERNAME, METRICS_PASSWORD: 'hunter2' }, ['METRICS_PASSWORD']],
    [{ METRICS_USERNAME: '', METRICS_PASSWORD }, ['METRICS_USERNAME']],
  ] as const) {
    const { code, log } = await runToExit({
      database: database.config,
      env: { ...production, ...given },
    });
    assert.equal(code, 1);
    const faults = log.flatMap((line) => (line['faults'] ?? []) as string[]);
    assert.deepEqual(faults.map((fault) => fault.split(':')[0]).sort(), expected);
    assert.doesNotMatch(JSON.stringify(log), /hunter2/);
  }
  const service = await startService({
    database: database.config,
    env: { ...production, METRICS_USERNAME, METRICS_PASSWORD },
  });
  assert.equal(await service.stop(), 0);
  assert.doesNotMatch(JSON.stringify(service.log), /hunter2/);
  await database.drop();
});

test('whatever breaks behind it, an answer tells no cause, and the log has it in one line', async (t) => {
  const database = await createTestDatabase('leaks');
  t.after(database.drop);
  const service = await startService({ database: database.config });
  t.after(() => service.stop());
  const api = createApi(service.port);
  t.after(() => api.close());
  const id = await api.create({ title: 'hidden title' });
  // A driver, a trigger or an extension may put any value into a message.
  const faults = [
    {
      body: `RAISE EXCEPTION E'secret cause\\r\\n\\x1b[31m{"level":"info","message":"forged"}' USING
        ERRCODE = 'XX000', DETAIL = NEW.title, HINT = 'secret hint'`,
      status: /^HTTP\/1\.1 422 /,
      tellsId: false,
    },
    {
      body: `EXECUTE format('SELECT FROM %I', 'secret cause ' || NEW.title)`,
      status: /^HTTP\/1\.1 50[03] /,
      tellsId: true,
    },
  ];
  for (const { body, status, tellsId } of faults) {
    await database.sql.unsafe(`
      CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN ${body}; RETURN NEW; END $$;
      CREATE OR REPLACE TRIGGER fail BEFORE INSERT OR UPDATE ON tasks
        FOR EACH ROW EXECUTE FUNCTION fail()`);
    const answers = [
      await raw(service.port, 'POST', '/api/tasks', '{"title":"hidden title"}'),
      await raw(service.port, 'PUT', `/api/tasks/${id}`, '{"status":"done"}'),
    ];
    for (const answer of answers) {
      assert.match(answer, status);
      assert.doesNotMatch(
        answer,
        /secret|hidden|XX000|INSERT|UPDATE|SELECT|plpgsql|\.js|\.ts|forged/,
      );
      const requestId = /x-request-id: (\S+)/i.exec(answer)![1]!;
      const line = await service.logged((candidate) => candidate['requestId'] === requestId);
      if (tellsId) assert.match(answer, new RegExp(`Request id: ${requestId}`));
      assert.ok(line['code'] !== undefined);
    }
  }
  assert.ok(!service.log.some(({ message }) => message === 'forged'));
  assert.doesNotMatch(JSON.stringify(service.log), /hidden title|secret hint/);
});

/** Returns text, because the test checks that a value is nowhere in it. */
async function raw(port: number, method: string, path: string, body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    body,
    headers: { 'Content-Type': 'application/json' },
  });
  await assertFetchedDescribed(method, path, response);
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\n`).join('');
  return `HTTP/1.1 ${response.status} ${response.statusText}\n${headers}\n${await response.text()}`;
}
