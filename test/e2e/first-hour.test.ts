/** A newcomer's tools: the requests of docs/requests.http, and the client of docs/client/. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, createClient } from '../../docs/client/client.ts';
import { createOnce, everyTask, retitle } from '../../docs/client/example.ts';
import { endpoints } from '../../src/contract/endpoints.ts';
import { assertFetchedDescribed } from '../support/described-bytes.ts';
import { root } from '../support/house.ts';
import { readHttpFile } from '../support/http-file.ts';
import { useService } from '../support/suite.ts';

const suite = useService('first_hour');
const file = readHttpFile(join(root, 'docs/requests.http'));

test('the requests of docs/requests.http are answered as it says', async () => {
  assert.equal(file.variables['address'], 'http://localhost:8080');
  const address = `http://127.0.0.1:${suite.service.port}`;
  const requests = file.requests({ address });
  const used = new Set<string>();
  for (const { name, status, method, url, headers, body } of requests) {
    assert.ok(url.startsWith(`${address}/`), `${name}: ${url}`);
    const path = url.slice(address.length);
    const sent = { headers, ...(body === undefined ? {} : { body }) };
    const answer =
      path === '/openapi.json'
        ? await fetchDescribed(url, path, headers)
        : await suite.api.request(method, path, sent);
    assert.equal(answer.status, status, name);
    used.add(`${method} ${path.split('?')[0]!.replace(/\/\d+$/, '/:id')}`);
  }
  const tasks = endpoints.filter(({ path }) => path.startsWith('/api/'));
  for (const { method, path } of tasks) {
    assert.ok(used.has(`${method} ${path}`), `${method} ${path} is in no request`);
  }
});

async function fetchDescribed(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const response = await fetch(url, { headers });
  await assertFetchedDescribed('GET', path, response);
  return response;
}

test('the example client creates once, lists everything and loses no change', async () => {
  const client = createClient(`http://127.0.0.1:${suite.service.port}`);
  const created = await Promise.all(
    Array.from({ length: 7 }, (_, place) => createOnce(client, `by the client ${place}`)),
  );
  const listed: number[] = [];
  for await (const { id } of everyTask(client, 2)) listed.push(id);
  assert.equal(new Set(listed).size, listed.length);
  for (const { id } of created) assert.ok(listed.includes(id));

  const id = created[0]!.id;
  await Promise.all([1, 2, 3].map(() => retitle(client, id, (before) => `${before}!`)));
  const read = await client.call('readTask', { path: { id } });
  assert.ok(read.status === 200);
  assert.equal(read.body.data.title, 'by the client 0!!!');
  await assert.rejects(createOnce(client, ' '), /^Error: invalid$/);

  const known = await client.call('readTask', {
    path: { id },
    headers: { 'If-None-Match': read.headers.get('ETag')! },
  });
  assert.deepEqual([known.status, known.body], [304, null]);
});

/** Never called: each of these must fail to compile. */
export async function notWritten(client: Client): Promise<void> {
  // @ts-expect-error a task needs a title
  await client.call('createTask', { body: { description: 'x' } });
  // @ts-expect-error there is no such status
  await client.call('updateTask', { path: { id: 1 }, body: { status: 'open' } });
  // @ts-expect-error there is no such parameter
  await client.call('listTasks', { query: { state: 'pending' } });
  const answer = await client.call('deleteTask', { path: { id: 1 } });
  // @ts-expect-error a delete does not answer 200
  if (answer.status === 200) return;
  // @ts-expect-error nor does its 404 know a field too long
  if (answer.status === 404 && answer.body.errors[0]?.code === 'too_long') return;
}
