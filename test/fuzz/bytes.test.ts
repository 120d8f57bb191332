/**
 * Mutated requests and random bytes: the process stays alive, its responses are HTTP, and a normal
 * client is served.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createApi } from '../support/api.ts';
import { fuzz } from '../support/fuzz.ts';
import { openRaw, type RawConnection } from '../support/raw-socket.ts';
import { useService } from '../support/suite.ts';

const suite = useService('fuzz_bytes');

/**
 * Many malformed requests are never answered: uWebSockets.js waits for more. It answers the others
 * itself.
 */
const patienceMs = 60;
/** The parser's responses have exactly one header. */
const parsersHead = /^HTTP\/1\.1 (400|431|505) [A-Za-z ]+\r\nConnection: close$/;
/** One in this many connections is not closed by the test, to check that the service closes it. */
const everyKept = 97;

const seeds = [
  'GET /api/tasks?per_page=5&filter=status%3Apending HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n',
  'GET /api/tasks/1 HTTP/1.1\r\nHost: a\r\nIf-None-Match: "1-1"\r\n\r\n',
  'HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"title":"a"}',
  'POST /api/tasks HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nContent-Length: 13\r\n\r\n{"title":"a"}',
  'PUT /api/tasks/1 HTTP/1.1\r\nHost: a\r\nIf-Match: "1-1"\r\nContent-Length: 17\r\n\r\n{"status":"done"}',
  'PATCH /api/tasks/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}',
  'DELETE /api/tasks/2 HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /api/tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"title":\r\n4\r\n"a"}\r\n0\r\n\r\n',
  'OPTIONS /api/tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
];
/** Pieces that confuse parsers. */
const pieces = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '"',
  '%',
  '%00',
  '\xff',
  '0',
  '-1',
  '99999999999999999999',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  ': x\r\n',
  'HTTP/1.1',
  '\r\n\r\n',
];

type Change = (bytes: string) => string;

/** A position as a share of the bytes before it. Without a bias towards the ends. */
const place = fc.noBias(fc.integer({ min: 0, max: 9999 })).map((part) => part / 10_000);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...pieces)).map(
    ([at, piece]): Change =>
      (bytes) =>
        splice(bytes, at, 0, piece),
  ),
  fc.tuple(place, fc.nat({ max: 255 })).map(
    ([at, byte]): Change =>
      (bytes) =>
        splice(bytes, at, 1, String.fromCharCode(byte)),
  ),
  fc.tuple(place, fc.nat({ max: 20 })).map(
    ([at, count]): Change =>
      (bytes) =>
        splice(bytes, at, count, ''),
  ),
  fc.tuple(place, fc.nat({ max: 40 })).map(
    ([at, count]): Change =>
      (bytes) => {
        const from = Math.floor(at * bytes.length);
        return splice(bytes, at, 0, bytes.slice(from, from + count));
      },
  ),
  place.map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, Math.ceil(at * bytes.length)),
  ),
  fc.constantFrom(...seeds).map(
    (other): Change =>
      (bytes) =>
        bytes + other,
  ),
);

function splice(bytes: string, at: number, count: number, piece: string): string {
  const from = Math.floor(at * bytes.length);
  return bytes.slice(0, from) + piece + bytes.slice(from + count);
}

const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }))
  .map(([bytes, changes]) => changes.reduce((present, apply) => apply(present), bytes));
const random = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
/** Parts that are sent one after the other. */
const conversation = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: mutated }, { weight: 1, arbitrary: random }),
    place,
    fc.boolean(),
  )
  .map(([bytes, at, whole]) => {
    const cut = Math.floor(at * bytes.length);
    return whole ? [bytes] : [bytes.slice(0, cut), bytes.slice(cut)];
  });

test('whatever bytes come, the service lives and others are served', async (t) => {
  const api = createApi(suite.service.port, 1);
  t.after(api.close);
  const pids = suite.service.frontEnds();
  let answered = 0;
  let sent = 0;
  const kept: { connection: RawConnection; parts: readonly string[] }[] = [];

  await fuzz(t, conversation, async (inputs) => {
    await Promise.all(inputs.map(throwBytes));
    const id = await api.create({ title: 'beside it' });
    assert.equal((await api.get(`/api/tasks/${id}`)).body.data.title, 'beside it');
    assert.deepEqual(suite.service.frontEnds(), pids);
  });
  t.diagnostic(`${answered} answers`);
  // None hangs: unanswered ones were closed, and answered ones are idle.
  for (const { connection, parts } of kept) {
    assert.ok(await connection.ended(60_000), `still open: ${JSON.stringify(parts)}`);
    connection.close();
  }
  assert.ok(answered > 0);
  assert.deepEqual(
    suite.service.log.filter(({ level }) => level === 'error'),
    [],
  );

  async function throwBytes(parts: readonly string[]): Promise<void> {
    const connection = await openRaw(suite.service.port, null);
    for (const part of parts) await connection.send(part);
    await connection.answers(1, patienceMs);
    // Responses to HEAD are not recognised here, so bodies are not checked.
    for (const { status, head, body } of answersIn(connection.received())) {
      answered++;
      if (parsersHead.test(head)) continue;
      const where = `${JSON.stringify(parts)}: ${status} ${head} ${body}`;
      assert.ok(status >= 200 && (status < 500 || status === 501), where);
      assert.match(head, /^X-Request-Id: [\w.-]{1,64}\r?$/m, where);
      if (body !== '') checkBody(body, where);
    }
    if (sent++ % everyKept === 0) kept.push({ connection, parts });
    else connection.socket.resetAndDestroy();
  }
});

interface Found {
  readonly status: number;
  readonly head: string;
  /** Empty if there is none, or if it is incomplete. */
  readonly body: string;
}

/** Responses to HEAD are not recognised, so the text after a head decides. */
function answersIn(received: string): Found[] {
  const found: Found[] = [];
  let at = 0;
  while (at < received.length) {
    const end = received.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const head = received.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) [A-Z]/.exec(head)?.[1]);
    assert.ok(status, `no status line: ${received}`);
    at = end + 4;
    if (status === 100) continue;
    const length = Number(/^Content-Length: (\d+)\r?$/im.exec(head)?.[1] ?? 0);
    const hasBody = received[at] === '{';
    const body = hasBody ? received.slice(at, at + length) : '';
    found.push({ status, head, body: body.length === length ? body : '' });
    at += hasBody ? length : 0;
  }
  return found;
}

function checkBody(text: string, where: string): void {
  const body = JSON.parse(text) as Record<string, unknown>;
  if (body['type'] === 'about:blank') return;
  assert.deepEqual(Object.keys(body), ['data', 'meta', 'message', 'errors', 'status'], where);
}
