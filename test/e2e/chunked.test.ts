/**
 * Chunked bodies beyond single requests: content, keys, memory, and responses that are not read.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { bodiesHeldMaxBytes, bodyMaxBytes } from '../../src/contract/limits.ts';
import { isText } from '../../src/contract/values.ts';
import { openRaw, type RawAnswer } from '../support/raw-socket.ts';
import { eventually } from '../support/service.ts';
import { useService } from '../support/suite.ts';

// The bound on all held bodies is per front end.
const suite = useService('chunked', { env: { FRONTENDS: '1' } });

const lastChunk = '0\r\n\r\n';

function headOf(method: string, path: string, headers = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`;
}

function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
}

/** Sends a chunked request and expects that its response ends the connection. */
async function sendChunks(
  method: string,
  path: string,
  body: string,
  headers = '',
): Promise<RawAnswer> {
  const connection = await openRaw(suite.service.port, new Set(method === 'HEAD' ? [0] : []));
  await connection.send(headOf(method, path, headers));
  await connection.send(chunk(Buffer.from(body)));
  await connection.send(lastChunk);
  const [answer] = await connection.answers(1);
  assert.ok(await connection.ended(5000), 'the connection stayed open');
  assert.equal(answer!.headers.get('connection'), 'close');
  return answer!;
}

test('a task whose body comes in chunks, in any pieces, is stored as it was sent', async () => {
  const title = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(isText);
  const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 12 });
  const run = async (text: string, inside: readonly number[], outside: readonly number[]) => {
    const body = Buffer.from(JSON.stringify({ title: `a${text}` }));
    const chunks = cut(body, inside).map(chunk);
    const wire = Buffer.concat([
      Buffer.from(headOf('POST', '/api/tasks')),
      ...chunks,
      Buffer.from(lastChunk),
    ]);
    const connection = await openRaw(suite.service.port);
    for (const part of cut(wire, outside)) {
      await connection.send(part);
      await sleep(1);
    }
    const [answer] = await connection.answers(1);
    connection.close();
    assert.equal(answer?.status, 201, answer?.body);
    assert.equal(JSON.parse(answer.body).data.title, `a${text}`);
  };
  await fc.assert(fc.asyncProperty(title, cuts, cuts, run), { numRuns: 15 });
});

/** @param places the cut positions, in any order; no piece is empty. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places, bytes.length])].filter((end) => end > 0);
  const sorted = ends.sort((a, b) => a - b).map((end) => Math.min(end, bytes.length));
  return sorted
    .map((end, place) => bytes.subarray(sorted[place - 1] ?? 0, end))
    .filter((piece) => piece.length > 0);
}

test('a key makes a create happen once, whether its body comes in chunks or with a length', async () => {
  const key = 'chunked-1';
  const header = `Idempotency-Key: ${key}\r\n`;
  const first = await sendChunks('POST', '/api/tasks', '{"title":"once"}', header);
  assert.equal(first.status, 201);
  const again = await sendChunks('POST', '/api/tasks', '{"title":"once"}', header);
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
  assert.equal(again.body, first.body);
  const plain = await suite.api.post({ title: 'once' }, { headers: { 'Idempotency-Key': key } });
  assert.equal(plain.text, first.body);
  assert.equal((await sendChunks('POST', '/api/tasks', '{"title":"x"}', header)).status, 422);
  assert.equal((await suite.api.get('/api/tasks?title=once')).body.meta.total, 1);
});

test('a change in chunks meets its conditions, and a removal may bring a body', async () => {
  const id = await suite.api.create({ title: 'one' });
  const path = `/api/tasks/${id}`;
  const change = (method: string, version: number) =>
    sendChunks(method, path, '{"title":"two"}', `If-Match: "${id}-${version}"\r\n`);
  assert.equal((await change('PUT', 2)).status, 412);
  assert.equal((await change('PUT', 1)).status, 200);
  assert.equal((await change('PATCH', 1)).status, 412);
  assert.equal((await change('PATCH', 2)).status, 200);
  assert.equal((await change('DELETE', 2)).status, 412);
  assert.equal((await change('DELETE', 3)).status, 204);
  assert.equal((await suite.api.get(path)).status, 404);
});

test('a last line end and a trailer that come behind the answer bring no reset', async () => {
  for (const [method, path, body] of [
    ['POST', '/api/tasks', '{"title":"answered early"}'],
    ['DELETE', '/api/tasks/999999', 'x'],
    ['HEAD', '/api/tasks', 'x'],
  ] as const) {
    for (const rest of ['\r\n', 'X-Checksum: abc\r\n\r\n']) {
      await sendOn([headOf(method, path), chunk(Buffer.from(body)), '0\r\n'], /^[24]\d\d /, rest);
    }
  }
});

test('a trailer a moment behind its request is no answer to it, and not 505 to what was done', async () => {
  const title = 'before its trailer';
  const body = chunk(Buffer.from(JSON.stringify({ title })));
  let created = 0;
  for (let round = 0; round < 20; round++) {
    const connection = await openRaw(suite.service.port);
    await connection.send(`${headOf('POST', '/api/tasks')}${body.toString('latin1')}0\r\n`);
    await connection.send('X-Checksum: abc\r\n\r\n');
    const [answer] = await connection.answers(1);
    if (answer!.status === 201) created++;
    // Both came in one segment, and the request had no effect.
    else assert.equal(answer!.status, 505);
    connection.close();
  }
  const answer = await suite.api.get(`/api/tasks?title=${encodeURIComponent(title)}`);
  assert.equal(answer.body.meta.total, created);
});

/** Sends the rest after the response. Rejects if that causes a reset. */
async function sendOn(
  request: readonly (string | Buffer)[],
  status: RegExp,
  rest: string,
): Promise<void> {
  const { port } = suite.service;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const ended = once(socket, 'end');
  for (const part of request) socket.write(part);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1').replace('HTTP/1.1 ', ''), status);
  await new Promise((sent) => socket.write(rest, sent));
  await ended;
  socket.end();
  await once(socket, 'close');
}

test('pages have what they need of a request in chunks', async () => {
  const page = await sendChunks('HEAD', '/openapi.json', 'x', 'Accept-Encoding: gzip\r\n');
  assert.deepEqual([page.status, page.headers.get('content-encoding')], [200, 'gzip']);
  const tag = page.headers.get('etag')!;
  const known = `Accept-Encoding: gzip\r\nIf-None-Match: ${tag}\r\n`;
  assert.equal((await sendChunks('GET', '/openapi.json', 'x', known)).status, 304);
  const credentials = Buffer.from('admin:admin').toString('base64');
  const allowed = `Authorization: Basic ${credentials}\r\n`;
  assert.equal((await sendChunks('GET', '/metrics', 'x')).status, 401);
  assert.equal((await sendChunks('GET', '/metrics', 'x', allowed)).status, 200);
});

test('a long answer that its client does not read lets nothing behind it run', async () => {
  const kept = await suite.api.create({ title: 'kept' });
  // More than a socket buffer holds.
  await suite.database.sql`
    INSERT INTO tasks (title, description)
    SELECT 'long', repeat('€', 16000) FROM generate_series(1, 300)`;
  const path = '/api/tasks?title=long&per_page=100';
  const expected = await suite.api.get(path);
  const removal = `DELETE /api/tasks/${kept} HTTP/1.1\r\nHost: a\r\n\r\n`;
  // While the response is pending, and after the kernel has taken all of it.
  for (const reads of [false, true]) {
    const connection = await openRaw(suite.service.port);
    if (!reads) connection.socket.pause();
    await connection.send(`${headOf('GET', path)}${lastChunk}`);
    if (reads) assert.equal((await connection.answers(1))[0]?.body, expected.text);
    else await sleep(300);
    await connection.send(removal);
    await sleep(100);
    connection.socket.resume();
    assert.ok((await connection.answers(2, 300)).length <= 1);
    connection.close();
  }
  assert.equal((await suite.api.get(`/api/tasks/${kept}`)).status, 200);
});

test('one more upload is refused while others hold all there is; when they break off, there is room', async () => {
  const half = Buffer.concat([
    Buffer.from(headOf('POST', '/api/tasks')),
    chunk(Buffer.alloc(bodyMaxBytes, ' ')),
  ]);
  const uploads = await Promise.all(
    Array.from({ length: bodiesHeldMaxBytes / bodyMaxBytes }, () => openRaw(suite.service.port)),
  );
  for (const { socket } of uploads) socket.write(half);
  const statusOf = async () =>
    (await sendChunks('POST', '/api/tasks', `{"title":"${'x'.repeat(200)}"}`)).status;
  await eventually(async () => (await statusOf()) === 503, 'it was not refused');
  // A request that needs no buffer is served.
  assert.equal((await sendChunks('GET', '/livez', 'x')).status, 200);
  for (const { socket } of uploads) socket.resetAndDestroy();
  await eventually(async () => (await statusOf()) === 201, 'the room did not come back');
});
