/** Idempotency-Key: a repeated create takes effect once. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type Answer, createApi, faultsOf } from '../support/api.ts';
import { startService } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const suite = useService('idempotency');

function post(body: unknown, key: string, api = suite.api): Promise<Answer> {
  return api.post(body, { headers: { 'Idempotency-Key': key } });
}

async function tasksWith(title: string): Promise<number> {
  const answer = await suite.api.get(`/api/tasks?title=${encodeURIComponent(title)}`);
  return answer.body.meta.total;
}

test('the same request again gets the first answer', async () => {
  const key = randomUUID();
  const body = { title: 'once', description: '"quoted" \\ 🎈', status: 'done', assigneeID: 3 };
  const first = await post(body, key);
  assert.equal(first.status, 201);
  assert.equal(first.headers['idempotency-replayed'], undefined);
  const id = first.body.data.id;

  const second = await post(body, key);
  assert.equal(second.status, 201);
  assert.equal(second.headers['idempotency-replayed'], 'true');
  assert.equal(second.text, first.text);
  assert.equal(second.headers.etag, first.headers.etag);
  assert.equal(second.headers.location, first.headers.location);
  assert.equal(await tasksWith('once'), 1);

  // Also after the task was changed, and after it was deleted.
  await suite.api.put(id, { title: 'changed' });
  assert.equal((await post(body, key)).text, first.text);
  await suite.api.remove(id);
  assert.equal((await post(body, key)).text, first.text);
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).status, 404);
});

test('a body that means the same is the same body', async () => {
  const key = randomUUID();
  const first = await post('{"title":"meaning"}', key);
  const second = await post(
    '{ "status": "pending", "assignee_id": null, "title": "meaning" }',
    key,
  );
  assert.equal(second.headers['idempotency-replayed'], 'true');
  assert.equal(second.text, first.text);
});

test('the same key with another body is 422 and creates nothing', async () => {
  const key = randomUUID();
  await post({ title: 'the first' }, key);
  const answer = await post({ title: 'the second' }, key);
  assert.equal(answer.status, 422);
  assert.deepEqual(faultsOf(answer), ['idempotency_key_reused']);
  assert.equal(await tasksWith('the second'), 0);
  assert.equal((await post({ title: 'the first' }, key)).status, 201);
});

test('a body that is refused does not use its key up', async () => {
  const key = randomUUID();
  assert.equal((await post({ title: '' }, key)).status, 400);
  assert.equal((await post({ title: 'right now' }, key)).status, 201);
});

test('a key has 1 to 64 visible ASCII characters', async () => {
  const longest = 'k'.repeat(64);
  assert.equal((await post({ title: 'a key of 64' }, longest)).status, 201);
  assert.equal(
    (await post({ title: 'every kind' }, '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~')).status,
    201,
  );
  for (const key of ['', `${longest}k`, 'with space', 'tab\there', 'a-ü-b']) {
    const answer = await post({ title: 'never' }, key);
    assert.equal(answer.status, 400, key);
    assert.deepEqual(faultsOf(answer), ['invalid Idempotency-Key']);
  }
  assert.equal(await tasksWith('never'), 0);
});

test('fifty at once with one key make one task', async () => {
  const api = createApi(suite.service.port, 50);
  for (let round = 0; round < 10; round++) {
    const key = randomUUID();
    const title = `storm ${round}`;
    const answers = await Promise.all(Array.from({ length: 50 }, () => post({ title }, key, api)));
    const created = answers.filter(({ status }) => status === 201);
    const conflicts = answers.filter(({ status }) => status === 409);
    assert.equal(created.length + conflicts.length, 50);
    assert.equal(new Set(created.map(({ text }) => text)).size, 1);
    assert.equal(
      created.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length,
      1,
    );
    for (const answer of conflicts) {
      assert.deepEqual(faultsOf(answer), ['conflict']);
      assert.equal(answer.headers['retry-after'], '1');
    }
    assert.equal(await tasksWith(title), 1);
  }
  api.close();
});

test('the same key at two services on one database makes one task', async () => {
  const other = await startService({ database: suite.database.config });
  const apis = [suite.api, createApi(other.port)];
  for (let round = 0; round < 50; round++) {
    const key = randomUUID();
    const title = `shared ${round}`;
    const answers = await Promise.all(apis.map((api) => post({ title }, key, api)));
    for (const { status } of answers) assert.ok(status === 201 || status === 409, String(status));
    const again = await Promise.all(apis.map((api) => post({ title }, key, api)));
    assert.equal(again.filter(({ status }) => status === 201).length > 0, true);
    assert.equal(await tasksWith(title), 1);
  }
  apis[1]!.close();
  await other.stop();
});

test('keys share a batch with creates that have none, in their order', async () => {
  const api = createApi(suite.service.port, 40);
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, place) => {
      const body = { title: `mixed ${place}`, assigneeID: place };
      return place % 2 === 0 ? post(body, `mixed-${place}`, api) : api.post(body);
    }),
  );
  api.close();
  for (const [place, answer] of answers.entries()) {
    assert.equal(answer.status, 201);
    assert.equal(answer.body.data.title, `mixed ${place}`);
    const stored = await suite.api.get(answer.headers.location!);
    assert.deepEqual(stored.body.data, answer.body.data);
  }
});

test('a key that has expired is as one that was never used', async () => {
  const key = randomUUID();
  const first = await post({ title: 'yesterday' }, key);
  await suite.database.sql`
    UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE key = ${key}`;
  const second = await post({ title: 'today' }, key);
  assert.equal(second.status, 201);
  assert.equal(second.headers['idempotency-replayed'], undefined);
  assert.notEqual(second.body.data.id, first.body.data.id);
  const third = await post({ title: 'today' }, key);
  assert.equal(third.headers['idempotency-replayed'], 'true');
  assert.equal(third.text, second.text);
});
