/** Rules that the owner of a database added to its tables, and the responses to clients. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type Answer, createApi, faultsOf } from '../support/api.ts';
import { putRules, refusals } from '../support/obstacles.ts';
import { eventually } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const suite = useService('rejected', {
  env: { OFFLOAD_MIN_BATCH: '8' },
  prepare: ({ database }) => putRules(database.sql, { slowSeconds: 0.01, stuckSeconds: 60 }),
});

/** The service's role has all privileges here, so no policy applies to it. */
const met = refusals.filter((one) => one !== 'policy' && one !== 'unique');

function assertRejected(answer: Answer, story: string): void {
  assert.equal(answer.status, 422, `${story}: ${answer.text}`);
  assert.deepEqual(faultsOf(answer), ['rejected'], story);
  assert.equal(answer.body.message, "The database's own rules reject this.");
  assert.equal(answer.headers['retry-after'], undefined);
}

// This test comes first: of a second with many failures the log has only a few single lines.
test('the log names the rule, and no client is told its name', async () => {
  const answer = await suite.api.post(
    { title: 'check it' },
    { headers: { 'X-Request-Id': 'the-rule' } },
  );
  assert.doesNotMatch(answer.text, /no_check/);
  const line = await suite.service.logged((entry) => entry['requestId'] === 'the-rule');
  assert.deepEqual([line['code'], line['cause']], ['rejected', '23514 no_check']);
  assert.doesNotMatch(JSON.stringify(suite.service.log), /secret/);
});

test('a rule refuses a create, a change and a removal alone, and nothing is written', async () => {
  const id = await suite.api.create({ title: 'stays' });
  for (const refusal of met) {
    const title = `${refusal} me`;
    assertRejected(await suite.api.post({ title }), `POST ${title}`);
    const key = { 'Idempotency-Key': randomUUID() };
    assertRejected(await suite.api.post({ title }, { headers: key }), `POST ${title} with a key`);
    assertRejected(await suite.api.put(id, { title }), `PUT ${title}`);
    const patch = { body: { title }, headers: { 'If-Match': `"${id}-1"` } };
    assertRejected(await suite.api.request('PATCH', `/api/tasks/${id}`, patch), `PATCH ${title}`);
    // The key was not used.
    assert.equal((await suite.api.post({ title: 'other' }, { headers: key })).status, 201);
  }
  const { body, headers } = await suite.api.get(`/api/tasks/${id}`);
  assert.equal(body.data.title, 'stays');
  assert.equal(headers.etag, `"${id}-1"`);
  for (const description of ['keep', 'guard']) {
    const kept = await suite.api.create({ title: 'kept', description });
    assertRejected(await suite.api.remove(kept), `DELETE ${description}`);
    const path = `/api/tasks/${kept}`;
    const ifMatch = { headers: { 'If-Match': '*' } };
    assertRejected(await suite.api.request('DELETE', path, ifMatch), `DELETE ${description} if`);
    assert.equal((await suite.api.get(path)).status, 200);
  }
  assert.equal((await suite.api.remove(2 ** 50)).status, 404);
  assert.equal((await suite.api.put(2 ** 50, { title: 'x' })).status, 404);
});

test('a row that a trigger changed is what is answered, at once and again', async () => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const body = { title: 'change me' };
  const first = await suite.api.post(body, { headers });
  assert.equal(first.body.data.title, 'change me changed');
  const stored = await suite.api.get(first.headers.location!);
  assert.deepEqual(stored.body.data, first.body.data);
  assert.equal(stored.headers.etag, first.headers.etag);
  const again = await suite.api.post(body, { headers });
  assert.equal(again.headers['idempotency-replayed'], 'true');
  assert.deepEqual([again.text, again.headers.etag], [first.text, first.headers.etag]);
  const put = await suite.api.put(first.body.data.id, body);
  const changed = await suite.api.get(first.headers.location!);
  assert.deepEqual([put.text, put.headers.etag], [changed.text, changed.headers.etag]);
});

test('each client gets its own answer under load, whatever its neighbours meet', async () => {
  const api = createApi(suite.service.port, 32);
  const kinds = ['none', 'none', 'none', 'none', 'change', 'renumber', ...met];
  const answers = await Promise.all(
    Array.from({ length: 600 }, async (_, place) => {
      const kind = kinds[(place * 7) % kinds.length]!;
      const title = `${kind} load ${place}`;
      const headers = { 'Idempotency-Key': `load-${place}` };
      const answer = await api.post({ title }, place % 3 === 0 ? { headers } : {});
      return { kind, title, answer };
    }),
  );
  let made = 0;
  for (const { kind, title, answer } of answers) {
    if ((met as readonly string[]).includes(kind)) {
      assertRejected(answer, title);
      continue;
    }
    made++;
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.body.data.title, kind === 'change' ? `${title} changed` : title);
    assert.equal(answer.headers.location, `/api/tasks/${answer.body.data.id}`);
  }
  const [row] = await suite.database.sql<{ count: string }[]>`
    SELECT count(*) AS count FROM tasks WHERE title LIKE '% load %'`;
  assert.equal(Number(row!.count), made);
  api.close();
});

test('a deadlock with another program is run again', async () => {
  const id = await suite.api.create({ title: 'crossed' });
  const other = await suite.database.sql.reserve();
  try {
    // The service's own transaction detects the deadlock and is rolled back.
    await other`SET deadlock_timeout = '20s'`;
    await other`BEGIN`;
    await other`UPDATE tasks_state SET total = total`;
    const put = suite.api.put(id, { title: 'run again' });
    await eventually(async () => {
      const rows = await suite.database.sql`
        SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
          AND application_name LIKE 'tasks %change' AND datname = current_database()`;
      return rows.length > 0;
    }, 'the change does not wait');
    await other`UPDATE tasks SET description = 'crossed' WHERE id = ${id}`;
    await other`COMMIT`;
    const answer = await put;
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(
      [answer.body.data.title, answer.body.data.description],
      ['run again', 'crossed'],
    );
  } finally {
    await other`ROLLBACK`;
    other.release();
  }
});
