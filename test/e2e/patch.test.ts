/** PATCH: a JSON merge patch (RFC 7396) of a flat object. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, faultsOf } from '../support/api.ts';
import { useService } from '../support/suite.ts';

const suite = useService('patch');

function patch(id: number, body: unknown, type?: string): Promise<Answer> {
  const headers = type === undefined ? {} : { 'Content-Type': type };
  return suite.api.request('PATCH', `/api/tasks/${id}`, { body, headers });
}

const full = { title: 'all', description: 'of it', status: 'done', assigneeID: 9 };

test('named fields change, the rest stays', async () => {
  const id = await suite.api.create(full);
  const answer = await patch(id, { status: 'canceled' }, 'application/merge-patch+json');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.etag, `"${id}-2"`);
  const { title, description, status, assigneeID } = answer.body.data;
  assert.deepEqual({ title, description, status, assigneeID }, { ...full, status: 'canceled' });
  assert.deepEqual((await suite.api.get(`/api/tasks/${id}`)).body.data, answer.body.data);
});

test('null resets a field to its default', async () => {
  const id = await suite.api.create(full);
  const answer = await patch(id, { description: null, status: null, assigneeID: null });
  assert.equal(answer.status, 200);
  const { title, description, status, assigneeID } = answer.body.data;
  assert.deepEqual(
    { title, description, status, assigneeID },
    { title: 'all', description: '', status: 'pending', assigneeID: 0 },
  );
  const alias = await suite.api.create(full);
  assert.equal((await patch(alias, { assignee_id: null })).body.data.assigneeID, 0);
});

test('an empty patch changes nothing: neither the version nor the time of the last change', async () => {
  const id = await suite.api.create(full);
  const before = await suite.api.get(`/api/tasks/${id}`);
  const listed = (await suite.api.get('/api/tasks')).headers.etag;
  // The second has read-only fields, which a client may send back.
  for (const body of [{}, { id: 5, createdAt: 'x', updated_at: null }]) {
    const answer = await patch(id, body);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.etag, before.headers.etag);
    assert.deepEqual(answer.body.data, before.body.data);
  }
  assert.equal((await suite.api.get('/api/tasks')).headers.etag, listed);
  assert.equal((await patch(id + 1000, {})).status, 404);
});

test('an empty patch shows its task also among changes of others', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => suite.api.create(full)));
  const answers = await Promise.all(
    ids.map((id, place) => patch(id, place % 2 === 0 ? {} : { title: `title ${place}` })),
  );
  for (const [place, { status, body, headers }] of answers.entries()) {
    assert.equal(status, 200);
    assert.equal(body.data.id, ids[place]);
    assert.equal(body.data.title, place % 2 === 0 ? 'all' : `title ${place}`);
    assert.equal(headers.etag, `"${ids[place]}-${place % 2 === 0 ? 1 : 2}"`);
  }
});

test('a patch is checked as a body of PUT is; only the title has no default', async () => {
  const id = await suite.api.create(full);
  for (const [body, faults] of [
    [{ title: null }, ['invalid title']],
    [{ title: ' ' }, ['invalid title']],
    [{ title: 'x'.repeat(256) }, ['too_long title']],
    [{ description: 7 }, ['invalid description']],
    [{ description: 'x'.repeat(16_385) }, ['too_long description']],
    [{ status: 'open' }, ['invalid status']],
    [{ assigneeID: -1 }, ['invalid assigneeID']],
    [{ assigneeID: 1, assignee_id: 2 }, ['invalid assigneeID']],
    [{ owner: 1 }, ['unknown_field owner']],
    [[{ op: 'remove', path: '/title' }], ['invalid']],
    ['{"title":', ['malformed_json']],
    ['null', ['invalid']],
  ] as const) {
    const answer = await patch(id, body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.deepEqual(faultsOf(answer), faults, JSON.stringify(body));
  }
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).headers.etag, `"${id}-1"`);
});

test('a patch has the type JSON or merge patch; a merge patch is for PATCH alone', async () => {
  const id = await suite.api.create(full);
  const type = 'application/merge-patch+json; charset=utf-8';
  assert.equal((await patch(id, { title: 'a' }, type)).status, 200);
  assert.equal((await patch(id, { title: 'a' }, 'application/json-patch+json')).status, 415);
  const headers = { 'Content-Type': 'application/merge-patch+json' };
  assert.equal((await suite.api.put(id, { title: 'a' }, { headers })).status, 415);
  assert.equal((await suite.api.post({ title: 'a' }, { headers })).status, 415);
});

test('OPTIONS says which patches are taken', async () => {
  const { headers } = await suite.api.request('OPTIONS', '/api/tasks/1');
  assert.match(headers.allow!, /\bPATCH\b/);
  assert.equal(headers['accept-patch'], 'application/merge-patch+json, application/json');
  const list = await suite.api.request('OPTIONS', '/api/tasks');
  assert.equal(list.headers['accept-patch'], undefined);
});
