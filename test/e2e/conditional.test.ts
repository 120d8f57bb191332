/** ETag, If-None-Match and If-Match: no lost updates, and no repeated transfers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi } from '../support/api.ts';
import { openRaw } from '../support/raw-socket.ts';
import { useService } from '../support/suite.ts';

const suite = useService('conditional');

const ifMatch = (etag: string) => ({ headers: { 'If-Match': etag } });

test('a task that the client has is not sent again', async () => {
  const id = await suite.api.create({ title: 'known' });
  const { headers } = await suite.api.get(`/api/tasks/${id}`);
  const etag = headers.etag!;
  assert.equal(etag, `"${id}-1"`);
  for (const method of ['GET', 'HEAD']) {
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await suite.api.request(method, `/api/tasks/${id}`, {
        headers: { 'If-None-Match': known },
      });
      assert.equal(answer.status, 304, `${method} ${known}`);
      assert.equal(answer.text, '');
      assert.equal(answer.headers.etag, etag);
      assert.equal(answer.headers['cache-control'], 'no-cache');
      assert.equal(answer.headers['content-length'], undefined);
    }
    for (const unknown of [`"${id}-2"`, 'nonsense', `${id}-1`]) {
      const answer = await suite.api.request(method, `/api/tasks/${id}`, {
        headers: { 'If-None-Match': unknown },
      });
      assert.equal(answer.status, 200, `${method} ${unknown}`);
    }
  }
  await suite.api.put(id, { title: 'changed' });
  const after = await suite.api.get(`/api/tasks/${id}`, { headers: { 'If-None-Match': etag } });
  assert.equal(after.status, 200);
  assert.equal(after.headers.etag, `"${id}-2"`);
});

test('a connection stays in step after answers without a body', async () => {
  const api = createApi(suite.service.port, 1);
  const id = await api.create({ title: 'in step' });
  const headers = { 'If-None-Match': `"${id}-1"` };
  for (let round = 0; round < 5; round++) {
    assert.equal((await api.get(`/api/tasks/${id}`, { headers })).status, 304);
    assert.equal((await api.get(`/api/tasks/${id}`)).body.data.title, 'in step');
    assert.equal((await api.request('HEAD', '/api/tasks')).status, 200);
    assert.equal((await api.request('OPTIONS', '/api/tasks')).status, 204);
  }
  api.close();
});

test('a list that the client has is not sent again until a task changes', async () => {
  const path = '/api/tasks?sort=-id&per_page=5';
  const first = await suite.api.get(path);
  const headers = { 'If-None-Match': first.headers.etag! };
  const again = await suite.api.get(path, { headers });
  assert.equal(again.status, 304);
  assert.equal(again.headers.etag, first.headers.etag);
  assert.equal(again.headers.link, first.headers.link);
  // The same data in another list is another representation.
  assert.equal((await suite.api.get('/api/tasks?per_page=5', { headers })).status, 200);
  await suite.api.create({ title: 'new' });
  const changed = await suite.api.get(path, { headers });
  assert.equal(changed.status, 200);
  assert.equal(changed.body.data[0]!.title, 'new');
});

test('a write happens only at a version that If-Match names', async () => {
  const id = await suite.api.create({ title: 'one' });
  const path = `/api/tasks/${id}`;
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const body = method === 'DELETE' ? {} : { body: { title: 'lost' } };
    for (const wrong of [`"${id}-2"`, `W/"${id}-1"`, `"${id + 1}-1"`, '"x"', `"${id}-0"`]) {
      const answer = await suite.api.request(method, path, { ...body, ...ifMatch(wrong) });
      assert.equal(answer.status, 412, `${method} ${wrong}`);
      assert.equal(answer.body.errors[0]!.code, 'precondition_failed');
    }
  }
  const untouched = await suite.api.get(path);
  assert.equal(untouched.headers.etag, `"${id}-1"`);
  assert.equal(untouched.body.data.title, 'one');
  assert.equal(untouched.body.data.updatedAt, untouched.body.data.createdAt);

  const put = await suite.api.put(id, { title: 'two' }, ifMatch(`"${id}-1"`));
  assert.equal(put.status, 200);
  assert.equal(put.headers.etag, `"${id}-2"`);
  const patched = await suite.api.request('PATCH', path, {
    body: { title: 'three' },
    ...ifMatch(`"${id}-1", "${id}-2"`),
  });
  assert.equal(patched.status, 200);
  assert.equal(patched.body.data.title, 'three');
  assert.equal((await suite.api.put(id, { title: 'four' }, ifMatch('*'))).status, 200);
  assert.equal((await suite.api.request('DELETE', path, ifMatch(`"${id}-3"`))).status, 412);
  assert.equal((await suite.api.request('DELETE', path, ifMatch(`"${id}-4"`))).status, 204);
});

test('a task that is not there is 404, whatever If-Match says', async () => {
  const id = await suite.api.create();
  await suite.api.remove(id);
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const body = method === 'DELETE' ? {} : { body: { title: 'x' } };
    for (const etag of ['*', `"${id}-1"`, '"x"']) {
      const options = { ...body, ...ifMatch(etag) };
      assert.equal((await suite.api.request(method, `/api/tasks/${id}`, options)).status, 404);
    }
  }
});

test('an If-Match that is no list of entity tags is 400 and changes nothing', async () => {
  const id = await suite.api.create({ title: 'stays' });
  for (const header of ['', `${id}-1`, '"a', 'x, y', ',']) {
    const answer = await suite.api.put(id, { title: 'x' }, ifMatch(header));
    assert.equal(answer.status, 400, header);
    assert.deepEqual(
      answer.body.errors.map(({ code, field }) => [code, field]),
      [['invalid', 'If-Match']],
    );
  }
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).body.data.title, 'stays');
});

test('conditions on several lines are one list', async () => {
  const id = await suite.api.create({ title: 'lines' });
  const connection = await openRaw(suite.service.port);
  const start = `/api/tasks/${id} HTTP/1.1\r\nHost: a\r\n`;
  await connection.send(`GET ${start}If-None-Match: "x"\r\nIf-None-Match: "${id}-1"\r\n\r\n`);
  await connection.answers(1);
  const body = '{"title":"two"}';
  await connection.send(
    `PUT ${start}If-Match: "x"\r\nIf-Match: "${id}-1"\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const answers = await connection.answers(2);
  connection.close();
  assert.deepEqual(
    answers.map(({ status }) => status),
    [304, 200],
  );
});

test('hundreds of clients that add one to a number under If-Match lose none', async (t) => {
  const clients = 300;
  const atOnce = 16;
  const id = await suite.api.create({ title: 'counter', description: '0' });
  const path = `/api/tasks/${id}`;
  const api = createApi(suite.service.port, atOnce);
  let refused = 0;
  async function addOne(): Promise<void> {
    for (;;) {
      const { headers, body } = await api.get(path);
      const description = String(Number(body.data.description) + 1);
      const answer = await api.put(id, { description }, ifMatch(headers.etag!));
      if (answer.status === 200) return;
      assert.equal(answer.status, 412);
      refused++;
    }
  }
  let begun = 0;
  async function addInTurn(): Promise<void> {
    while (begun++ < clients) await addOne();
  }
  await Promise.all(Array.from({ length: atOnce }, addInTurn));
  api.close();
  t.diagnostic(`${refused} writes were refused on the way`);
  const { headers, body } = await suite.api.get(path);
  assert.equal(body.data.description, String(clients));
  assert.equal(headers.etag, `"${id}-${clients + 1}"`);
  assert.ok(refused > 0);
});

const ifNoneMatch = (etag: string) => ({ headers: { 'If-None-Match': etag } });
const writes = ['PUT', 'PATCH', 'DELETE'] as const;
const bodyOf = (method: string, title: string) => (method === 'DELETE' ? {} : { body: { title } });

test('a write does not happen at a version that If-None-Match names', async () => {
  const id = await suite.api.create({ title: 'one' });
  const path = `/api/tasks/${id}`;
  // Weak comparison: a weak tag matches too.
  const matching = ['*', `"${id}-1"`, `W/"${id}-1"`, `"x", "${id}-2" ,, W/"${id}-1"`];
  for (const method of writes) {
    for (const etag of matching) {
      const options = { ...bodyOf(method, 'lost'), ...ifNoneMatch(etag) };
      const answer = await suite.api.request(method, path, options);
      assert.equal(answer.status, 412, `${method} ${etag}`);
      assert.equal(answer.body.errors[0]!.code, 'precondition_failed');
    }
  }
  const untouched = await suite.api.get(path);
  assert.equal(untouched.headers.etag, `"${id}-1"`);
  assert.equal(untouched.body.data.title, 'one');

  let version = 1;
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const others = `"${id}-${version + 1}", "${id + 1}-${version}", "x"`;
    const options = { ...bodyOf(method, 'next'), ...ifNoneMatch(others) };
    const answer = await suite.api.request(method, path, options);
    version++;
    assert.equal(answer.status, method === 'DELETE' ? 204 : 200, answer.text);
    if (method !== 'DELETE') assert.equal(answer.headers.etag, `"${id}-${version}"`);
  }
  assert.equal((await suite.api.get(path)).status, 404);
});

test('an empty patch meets If-None-Match as well', async () => {
  const id = await suite.api.create();
  const patch = (headers: Record<string, string>) =>
    suite.api.request('PATCH', `/api/tasks/${id}`, { body: {}, headers });
  assert.equal((await patch({ 'If-None-Match': '*' })).status, 412);
  assert.equal((await patch({ 'If-None-Match': `"${id}-1"` })).status, 412);
  assert.equal((await patch({ 'If-None-Match': `"${id}-2"` })).headers.etag, `"${id}-1"`);
});

test('a task that is not there is 404, and a body with a fault 400, whatever If-None-Match says', async () => {
  const id = await suite.api.create();
  for (const method of ['PUT', 'PATCH']) {
    const options = { body: { title: '' }, ...ifNoneMatch('*') };
    assert.equal((await suite.api.request(method, `/api/tasks/${id}`, options)).status, 400);
  }
  await suite.api.remove(id);
  for (const method of writes) {
    for (const etag of ['*', `"${id}-1"`, '"x"']) {
      const options = { ...bodyOf(method, 'x'), ...ifNoneMatch(etag) };
      assert.equal((await suite.api.request(method, `/api/tasks/${id}`, options)).status, 404);
    }
  }
});

test('If-Match and If-None-Match together must both hold', async () => {
  const id = await suite.api.create({ title: 'both' });
  const path = `/api/tasks/${id}`;
  const now = `"${id}-1"`;
  const other = `"${id}-2"`;
  for (const method of writes) {
    for (const [match, noneMatch] of [
      ['*', '*'],
      ['*', now],
      [now, '*'],
      [now, now],
      [now, `W/${now}`],
      [other, other],
      [other, '"x"'],
      [`${now}, ${other}`, now],
    ] as const) {
      const headers = { 'If-Match': match, 'If-None-Match': noneMatch };
      const answer = await suite.api.request(method, path, { ...bodyOf(method, 'x'), headers });
      assert.equal(answer.status, 412, `${method} ${match} ${noneMatch}`);
    }
  }
  let version = 1;
  for (const [match, noneMatch] of [
    ['*', '"x"'],
    [`"${id}-2"`, `"${id}-1"`],
    [`"${id}-2", "${id}-3"`, `"${id}-2"`],
  ] as const) {
    const headers = { 'If-Match': match, 'If-None-Match': noneMatch };
    const answer = await suite.api.put(id, { title: `both ${version}` }, { headers });
    assert.equal(answer.status, 200, `${match} ${noneMatch}`);
    assert.equal(answer.headers.etag, `"${id}-${++version}"`);
  }
});

test('an If-None-Match that is no list of entity tags is 400 on a write and changes nothing', async () => {
  const id = await suite.api.create({ title: 'stays' });
  for (const header of ['', `${id}-1`, '"a', 'x, y', ',', '*, "x"']) {
    const answers = [
      await suite.api.put(id, { title: 'x' }, ifNoneMatch(header)),
      await suite.api.request('DELETE', `/api/tasks/${id}`, ifNoneMatch(header)),
      await suite.api.post({ title: 'malformed' }, ifNoneMatch(header)),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 400, header);
      assert.equal(answer.body.errors[0]!.field, 'If-None-Match');
    }
  }
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).body.data.title, 'stays');
  assert.equal((await suite.api.get('/api/tasks?title=malformed')).body.meta.total, 0);
});

test('a create under If-None-Match: * is refused, for the list is there', async () => {
  const key = { 'Idempotency-Key': 'unmet' };
  const unmet = { headers: { 'If-None-Match': '*', ...key } };
  assert.equal((await suite.api.post({ title: '' }, unmet)).status, 400);
  const refused = await suite.api.post({ title: 'unmet' }, unmet);
  assert.equal(refused.status, 412);
  assert.equal(refused.body.errors[0]!.code, 'precondition_failed');
  assert.equal((await suite.api.get('/api/tasks?title=unmet')).body.meta.total, 0);
  // The failed request has not used its key.
  const made = await suite.api.post({ title: 'unmet' }, { headers: key });
  assert.deepEqual([made.status, made.headers['idempotency-replayed']], [201, undefined]);
  assert.equal((await suite.api.post({ title: 'tagged' }, ifNoneMatch('"x"'))).status, 201);
});

test('of many clients that write unless a version is there, one does', async () => {
  const id = await suite.api.create({ title: 'race' });
  const api = createApi(suite.service.port, 16);
  for (let version = 1; version <= 20; version++) {
    // The write creates a version that the other requests exclude.
    const next = ifNoneMatch(`"${id}-${version + 1}"`);
    const race = Array.from({ length: 16 }, (_, n) => api.put(id, { title: `${n}` }, next));
    const statuses = (await Promise.all(race)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, ...new Array<number>(15).fill(412)]);
    const { headers } = await api.get(`/api/tasks/${id}`);
    assert.equal(headers.etag, `"${id}-${version + 1}"`);
  }
  api.close();
});
