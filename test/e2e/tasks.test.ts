import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../src/contract/task.ts';
import { checkAnswer, faultsOf } from '../support/api.ts';
import { useService } from '../support/suite.ts';

const suite = useService('tasks');
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('a created task is answered whole, with its place and its version', async () => {
  const { status, headers, body } = await suite.api.post({
    title: 'Sample task',
    description: 'This is a sample',
    status: 'in_progress',
    assigneeID: 7,
  });
  assert.equal(status, 201);
  const { id, createdAt, updatedAt, ...rest } = body.data;
  assert.deepEqual(rest, {
    title: 'Sample task',
    description: 'This is a sample',
    status: 'in_progress',
    assigneeID: 7,
  });
  assert.deepEqual(Object.keys(body.data), [
    'id',
    'title',
    'description',
    'status',
    'assigneeID',
    'createdAt',
    'updatedAt',
  ]);
  assert.match(createdAt, rfc3339);
  assert.equal(updatedAt, createdAt);
  assert.equal(headers.location, `/api/tasks/${id}`);
  assert.equal(headers.etag, `"${id}-1"`);
  assert.deepEqual([body.meta, body.message], [null, 'success']);

  const read = await suite.api.get(headers.location as string);
  assert.deepEqual([read.status, read.headers.etag], [200, `"${id}-1"`]);
  assert.deepEqual(read.body.data, body.data);
});

test('a title alone is enough', async () => {
  const { body } = await suite.api.post({ title: 'x' });
  assert.deepEqual(
    [body.data.description, body.data.status, body.data.assigneeID],
    ['', 'pending', 0],
  );
});

test('an update changes what it names, moves updatedAt and the version, and nothing else', async () => {
  const id = await suite.api.create({ description: 'kept', status: 'done', assigneeID: 3 });
  const before = (await suite.api.get(`/api/tasks/${id}`)).body.data;
  const { status, headers, body } = await suite.api.put(id, { title: 'renamed' });
  assert.equal(status, 200);
  assert.equal(headers.etag, `"${id}-2"`);
  assert.deepEqual(body.data, { ...before, title: 'renamed', updatedAt: body.data.updatedAt });
  assert.ok(body.data.updatedAt >= before.updatedAt);
  assert.deepEqual((await suite.api.get(`/api/tasks/${id}`)).body.data, body.data);
});

test('each writable field can be updated alone', async () => {
  const id = await suite.api.create();
  for (const [field, value] of Object.entries({
    title: ' spaces are kept ',
    description: 'd',
    status: 'canceled',
    assigneeID: Number.MAX_SAFE_INTEGER,
  })) {
    const { body } = await suite.api.put(id, { [field]: value });
    assert.equal(body.data[field as keyof Task], value);
  }
  const { body } = await suite.api.put(id, { description: '', assigneeID: null });
  assert.deepEqual([body.data.description, body.data.assigneeID], ['', 0]);
});

test('a client can send back what it got', async () => {
  const id = await suite.api.create({ assigneeID: 2 });
  const { data } = (await suite.api.get(`/api/tasks/${id}`)).body;
  const { status, body } = await suite.api.put(id, { ...data, status: 'completed' });
  assert.equal(status, 200);
  assert.deepEqual(body.data, { ...data, status: 'completed', updatedAt: body.data.updatedAt });
  const snake = { title: 'x', created_at: 'whatever', updated_at: null, id: 'x' };
  assert.equal((await suite.api.put(id, snake)).status, 200);
});

test('a deleted task is gone, and a second time it is not found', async () => {
  const id = await suite.api.create();
  assert.equal((await suite.api.remove(id)).status, 204);
  assert.deepEqual(faultsOf(await suite.api.remove(id)), ['not_found']);
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).status, 404);
  assert.equal((await suite.api.put(id, { title: 'x' })).status, 404);
});

test('ids are never given twice', async () => {
  const id = await suite.api.create();
  await suite.api.remove(id);
  assert.ok((await suite.api.create()) > id);
});

test('texts are stored exactly as sent', async () => {
  const texts = [
    ' leading and trailing ',
    'tabs\tand\nlines\r\n',
    '"quotes" and \\ backslashes',
    '{a,b}',
    'NULL',
    '{}',
    "'; DROP TABLE tasks; --",
    'a\u2028b\u2029c',
    '😀🏳️‍🌈 é é',
    '漢字かな',
    '\u0001\u001f\u007f',
    '<b>&amp;</b>',
    '$1 %s \\x00',
  ];
  for (const text of texts) {
    const id = await suite.api.create({ title: text, description: text });
    const { data } = (await suite.api.get(`/api/tasks/${id}`)).body;
    assert.deepEqual([data.title, data.description], [text, text]);
  }
});

test('many clients at once each get their own answer', async () => {
  const titles = Array.from({ length: 300 }, (_, place) => `title ${place}`);
  const created = await Promise.all(titles.map((title) => suite.api.post({ title })));
  assert.deepEqual(
    created.map(({ body }) => body.data.title),
    titles,
  );
  const ids = created.map(({ body }) => body.data.id);
  assert.equal(new Set(ids).size, ids.length);
  const changed = await Promise.all(
    ids.map((id) => suite.api.put(id, { description: `of ${id}` })),
  );
  assert.deepEqual(
    changed.map(({ body }) => body.data.description),
    ids.map((id) => `of ${id}`),
  );
  const read = await Promise.all(ids.map((id) => suite.api.get(`/api/tasks/${id}`)));
  assert.deepEqual(
    read.map(({ body }) => body.data),
    changed.map(({ body }) => body.data),
  );
});

test('fifty changes of one task at once all take effect, one after the other', async () => {
  const id = await suite.api.create();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, place) => suite.api.put(id, { title: `t${place}` })),
  );
  const versions = answers.map(({ headers }) => Number(/-(\d+)"/.exec(headers.etag!)![1]));
  assert.deepEqual(
    [...versions].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, n) => n + 2),
  );
});

test('the collection with a slash at its end is the same resource', async () => {
  const { status } = await suite.api.request('POST', '/api/tasks/', { body: { title: 'x' } });
  assert.equal(status, 201);
  assert.equal((await suite.api.get('/api/tasks/')).status, 200);
});

test('HEAD answers what GET does, without the body', async () => {
  const id = await suite.api.create();
  for (const path of [`/api/tasks/${id}`, '/api/tasks', '/livez']) {
    const get = await suite.api.get(path);
    const head = await suite.api.request('HEAD', path);
    assert.equal(head.status, 200);
    assert.equal(head.headers.etag, get.headers.etag);
    assert.equal(Number(head.headers['content-length']), Buffer.byteLength(get.text), path);
  }
  assert.equal((await suite.api.request('HEAD', '/api/tasks/999999999')).status, 404);
});

test('OPTIONS names the methods of a path', async () => {
  const collection = await suite.api.request('OPTIONS', '/api/tasks');
  assert.deepEqual(
    [collection.status, collection.headers.allow],
    [204, 'GET, HEAD, POST, OPTIONS'],
  );
  const one = await suite.api.request('OPTIONS', '/api/tasks/1');
  assert.deepEqual(
    [one.status, one.headers.allow],
    [204, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
  );
});

test('the request id of a client is taken over when it is harmless', async () => {
  const given = 'trace-1.2_3';
  const taken = await suite.api.get('/livez', { headers: { 'X-Request-Id': given } });
  assert.equal(taken.headers['x-request-id'], given);
  for (const harmful of ['a b', 'x'.repeat(65), 'ü', '<script>']) {
    const made = await suite.api.get('/livez', {
      headers: { 'X-Request-Id': Buffer.from(harmful).toString('latin1') },
    });
    assert.notEqual(made.headers['x-request-id'], harmful);
    checkAnswer('GET', made);
  }
});
