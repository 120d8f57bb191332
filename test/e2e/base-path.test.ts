/** A service behind a path prefix: Location, Link and the page at `/`; and trace ids in the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFetchedDescribed } from '../support/described-bytes.ts';
import { openRaw } from '../support/raw-socket.ts';
import { useService } from '../support/suite.ts';

const base = '/tasks-api';
const slowTitle = 'slow';
const refusedTitle = 'refused';
const suite = useService('base_path', {
  env: { HOST_BASE_PATH: `https://api.example${base}/`, SLOW_REQUEST_MS: '40' },
  async prepare({ database }) {
    await database.sql.unsafe(`
      CREATE FUNCTION hinder() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.title = '${refusedTitle}' THEN RAISE EXCEPTION 'no'; END IF;
        IF NEW.title = '${slowTitle}' THEN PERFORM pg_sleep(0.06); END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER hinder BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION hinder()`);
  },
});
const browserAccept =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

test('Location and Link begin with the base path, from every layer', async () => {
  const created = await suite.api.post({ title: 'a task' });
  assert.equal(created.headers.location, `${base}/api/tasks/${created.body.data.id}`);
  const asked = '/api/tasks?per_page=1&filter=title:%3C/task,task';
  const read = await suite.api.get(asked);
  const cached = await suite.api.get(asked);
  const known = await suite.api.get(asked, { headers: { 'If-None-Match': read.headers.etag! } });
  assert.deepEqual([read.status, cached.status, known.status], [200, 200, 304]);
  for (const { headers } of [read, cached, known]) {
    const targets = [...String(headers.link).matchAll(/<([^>]*)>/g)].map(([, target]) => target!);
    assert.ok(targets.length >= 2);
    for (const target of targets) assert.match(target, /^\/tasks-api\/api\/tasks\?/);
  }
  // The service itself has no base path: the proxy strips it.
  assert.equal((await suite.api.get(`${base}/api/tasks`)).status, 404);
});

async function front(accept: string | null, init: RequestInit = {}): Promise<Response> {
  const { method = 'GET', headers = {} } = init;
  const response = await fetch(`http://127.0.0.1:${suite.service.port}/`, {
    ...init,
    headers: { ...(accept === null ? {} : { Accept: accept }), ...headers },
  });
  await assertFetchedDescribed(method, '/', response);
  return response;
}

test('/ leads to the documents: a page for a browser, the same as JSON for others', async () => {
  const html = 'text/html; charset=utf-8';
  const json = 'application/json; charset=utf-8';
  for (const [accept, type] of [
    [browserAccept, html],
    ['text/html', html],
    ['text/*', html],
    ['application/json;q=0.5, text/html', html],
    ['*/*', json],
    ['application/json', json],
    ['text/html;q=0.5, application/json', json],
    ['text/html;q=0, */*', json],
    ['image/png', json],
    ['', json],
  ] as const) {
    const answer = await front(accept);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), type, accept);
    assert.equal(answer.headers.get('vary'), 'Accept, Accept-Encoding');
  }
  const page = await (await front(browserAccept)).text();
  const { data, ...rest } = JSON.parse(await (await front('*/*')).text());
  assert.deepEqual(rest, { meta: null, message: 'success', errors: [], status: 'ok' });
  const links = [...page.matchAll(/<a href="([^"]*)">/g)].map(([, target]) => target!);
  assert.deepEqual(links, Object.values(data));
  for (const link of links) {
    assert.ok(link.startsWith(`${base}/`), link);
    const path = link.slice(base.length);
    assert.equal((await fetch(`http://127.0.0.1:${suite.service.port}${path}`)).status, 200, path);
  }
});

test('/ loads nothing, runs nothing, and has the methods of a page', async () => {
  for (const accept of [browserAccept, '*/*']) {
    const got = await front(accept);
    const policy = got.headers.get('content-security-policy')!;
    assert.match(policy, /^default-src 'none'/);
    assert.doesNotMatch(policy, /script-src|https?:/);
    assert.doesNotMatch(await got.text(), /<script|src=|https?:\/\//);
    const etag = got.headers.get('etag')!;
    const known = await front(accept, { headers: { 'If-None-Match': etag } });
    assert.equal(known.status, 304);
    const head = await front(accept, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const other = accept === '*/*' ? browserAccept : '*/*';
    assert.equal((await front(other, { headers: { 'If-None-Match': etag } })).status, 200);
  }
  const options = await front('*/*', { method: 'OPTIONS' });
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD, OPTIONS']);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const refused = await front('*/*', { method });
    // Without a length, such a method is rejected for that reason; fetch sends one.
    assert.equal(refused.status, 405, method);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD, OPTIONS');
  }
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
let requests = 0;

/** Creates a task. @returns its log line. */
async function loggedFor(title: string, headers: readonly string[]) {
  const requestId = `traced-${++requests}`;
  const body = JSON.stringify({ title });
  const raw = await openRaw(suite.service.port);
  await raw.send(
    [
      'POST /api/tasks HTTP/1.1',
      'Host: localhost',
      `X-Request-Id: ${requestId}`,
      `Content-Length: ${body.length}`,
      ...headers,
      '',
      body,
    ].join('\r\n'),
  );
  const [answer] = await raw.answers(1, 30_000);
  raw.close();
  assert.ok(answer !== undefined);
  assert.doesNotMatch(raw.received(), new RegExp(traceId, 'i'), 'it comes back');
  return suite.service.logged((line) => line['requestId'] === requestId);
}

test('the trace of a slow or failed request is in its line of the log', async () => {
  for (const [title, message] of [
    [slowTitle, 'a request was slow'],
    [refusedTitle, 'a request failed'],
  ] as const) {
    const line = await loggedFor(title, [`traceparent: ${traceparent}`]);
    assert.equal(line.message, message);
    assert.equal(line['traceId'], traceId);
    const later = await loggedFor(title, [`TraceParent: cc-${traceparent.slice(3)}-more`]);
    assert.equal(later['traceId'], traceId);
  }
});

test('a traceparent that is not valid, or is there twice, counts as not sent', async () => {
  for (const headers of [
    [],
    ['traceparent:'],
    [`traceparent: ff-${traceparent.slice(3)}`],
    [`traceparent: ${traceparent.toUpperCase()}`],
    [`traceparent: ${traceparent}`, `traceparent: ${traceparent}`],
    ['traceparent:', `traceparent: ${traceparent}`],
    [`traceparent: ${traceparent}`, 'traceparent:'],
  ]) {
    const line = await loggedFor(refusedTitle, headers);
    assert.equal(line.message, 'a request failed');
    assert.ok(!('traceId' in line), headers.join());
    assert.doesNotMatch(JSON.stringify(line), new RegExp(traceId, 'i'));
  }
});
