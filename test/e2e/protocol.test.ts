import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { acceptsEnvelope, acceptsProblem } from '../support/accept-cases.ts';
import { faultsOf } from '../support/api.ts';
import { assertBytesDescribed } from '../support/described-bytes.ts';
import { parseAnswer } from '../support/raw-socket.ts';
import { useService } from '../support/suite.ts';

const suite = useService('protocol');

/** Sends raw bytes and reads until the first response is complete or the connection ends. */
async function sendRaw(bytes: string): Promise<string> {
  const text = await exchange(bytes);
  const parsed = parseAnswer(Buffer.from(text), false);
  // If the service closes a connection with unread bytes, a reset may come before the response is
  // read.
  if (parsed !== undefined) assertBytesDescribed(bytes, [parsed.answer]);
  return text;
}

function exchange(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(suite.service.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      const head = text.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
      if (head >= 0 && text.length >= head + 4 + Number(length ?? 0)) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

test('a body of 128 KiB is read and one byte more is refused, and the connection goes on', async () => {
  const padded = (bytes: number) => {
    const empty = JSON.stringify({ title: 'x', id: '' });
    return JSON.stringify({ title: 'x', id: ' '.repeat(bytes - empty.length) });
  };
  assert.equal((await suite.api.post(padded(128 * 1024))).status, 201);
  const refused = await suite.api.post(padded(128 * 1024 + 1));
  assert.deepEqual([refused.status, faultsOf(refused)], [413, ['payload_too_large']]);
  assert.equal((await suite.api.post({ title: 'x' })).status, 201);
});

test('a URL of 2 KiB is read and one byte more is refused', async () => {
  const path = (bytes: number) => `/api/tasks?_=${'x'.repeat(bytes - '/api/tasks?_='.length)}`;
  assert.equal((await suite.api.get(path(2048))).status, 200);
  const refused = await suite.api.get(path(2049));
  assert.deepEqual([refused.status, faultsOf(refused)], [414, ['uri_too_long']]);
});

test('a missing type counts as JSON, parameters are ignored, another type is refused', async () => {
  const post = (type: string) =>
    suite.api.post({ title: 'x' }, { headers: { 'Content-Type': type } });
  for (const type of [
    '',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/json ;x=y',
  ]) {
    assert.equal((await post(type)).status, 201, type);
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/merge-patch+json',
  ]) {
    const refused = await post(type);
    assert.deepEqual([refused.status, faultsOf(refused)], [415, ['unsupported_media_type']], type);
  }
});

test('a body without a length is refused and the connection is closed', async () => {
  const bare = await sendRaw('POST /api/tasks HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(bare, /^HTTP\/1\.1 411 Length Required\r\n/);
  assert.match(bare, /"code":"length_required"/);
  assert.match(bare, /\r\nConnection: close\r\n/);
});

test('a transfer coding that is not chunked is refused and the connection is closed', async () => {
  const gzip = await sendRaw(
    'POST /api/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
  );
  assert.match(gzip, /^HTTP\/1\.1 501 Not Implemented\r\n/);
  assert.match(gzip, /"code":"not_implemented"/);
  assert.match(gzip, /\r\nConnection: close\r\n/);
});

test('a request behind a chunked one never runs', async () => {
  const id = await suite.api.create({ title: 'to be kept' });
  await sendRaw(
    'POST /api/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `e\r\n{"title":"no"}\r\n0\r\n\r\nDELETE /api/tasks/${id} HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).status, 200);
  assert.equal((await suite.api.get('/api/tasks?title=no')).body.meta.total, 0);
});

test('a body that arrives byte by byte is read whole', async () => {
  const body = '{"title":"slowly"}';
  const id = await new Promise<number>((resolve, reject) => {
    const socket = connect(suite.service.port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      socket.end();
      resolve(JSON.parse(String(chunk).split('\r\n\r\n')[1]!).data.id);
    });
    const bytes = `POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let at = 0;
    const step = (): void => {
      if (at < bytes.length) socket.write(bytes[at++]!, () => setImmediate(step));
    };
    step();
  });
  assert.equal((await suite.api.get(`/api/tasks/${id}`)).body.data.title, 'slowly');
});

test('a client that leaves in the middle of its body leaves nothing behind', async () => {
  await new Promise<void>((resolve) => {
    const head = 'POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n';
    const socket = connect(suite.service.port, '127.0.0.1', () => {
      socket.write(`${head}{"title":"gone"`, () => socket.destroy());
    });
    socket.on('close', () => resolve());
  });
  assert.equal((await suite.api.get('/api/tasks?title=gone')).body.meta.total, 0);
});

test('an unknown path is 404 in the envelope', async () => {
  for (const path of ['/api', '/api/task', '/api/tasks/1/notes', '/favicon.ico', '/__proto__']) {
    const answer = await suite.api.get(path);
    assert.deepEqual([answer.status, faultsOf(answer)], [404, ['not_found']], path);
  }
});

test('a known path with another method is 405 with what it allows', async () => {
  for (const [method, path, allow] of [
    ['DELETE', '/api/tasks', 'GET, HEAD, POST, OPTIONS'],
    ['PATCH', '/api/tasks', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/api/tasks/1', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
    ['POST', '/api/tasks/abc', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
    ['POST', '/livez', 'GET, HEAD, OPTIONS'],
    ['TRACE', '/api/tasks', 'GET, HEAD, POST, OPTIONS'],
  ] as const) {
    const answer = await suite.api.request(method, path);
    assert.deepEqual([answer.status, faultsOf(answer)], [405, ['method_not_allowed']], method);
    assert.equal(answer.headers.allow, allow);
  }
});

test('an error is RFC 9457 for who asks for it', async () => {
  const headers = { Accept: 'application/problem+json' };
  const invalid = await suite.api.post({ title: '' }, { headers });
  assert.equal(invalid.headers['content-type'], 'application/problem+json; charset=utf-8');
  assert.deepEqual([invalid.body.status, faultsOf(invalid)], [400, ['invalid title']]);
  for (const path of ['/nowhere', '/api/tasks/999999999', '/api/tasks/x', '/api/tasks?page=x']) {
    const answer = await suite.api.get(path, { headers });
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8', path);
  }
  const fine = await suite.api.get('/api/tasks', { headers });
  assert.equal(fine.headers['content-type'], 'application/json; charset=utf-8');
});

test('Accept decides by weight and precision; what cannot be had is no reason not to answer', async () => {
  for (const [cases, type] of [
    [acceptsProblem, 'application/problem+json; charset=utf-8'],
    [acceptsEnvelope, 'application/json; charset=utf-8'],
  ] as const) {
    for (const accept of cases) {
      const headers = { Accept: accept };
      for (const [answer, status] of [
        [await suite.api.get('/nowhere', { headers }), 404],
        [await suite.api.get('/api/tasks/x', { headers }), 400],
        // The executor makes this response.
        [await suite.api.post({ title: '' }, { headers }), 400],
      ] as const) {
        assert.deepEqual([answer.status, answer.headers['content-type']], [status, type], accept);
      }
      const fine = await suite.api.get('/livez', { headers });
      assert.equal(fine.headers['content-type'], 'application/json; charset=utf-8');
    }
  }
  const lines = 'Accept: text/html\r\naccept: application/problem+json\r\n';
  const answer = await sendRaw(`GET /nowhere HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  assert.match(answer, /\r\nContent-Type: application\/problem\+json/);
});
