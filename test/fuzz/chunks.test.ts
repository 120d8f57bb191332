/**
 * Chunked requests, valid and broken, with hidden requests in and after them, cut at random. A
 * valid one runs once, and no hidden one runs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isText } from '../../src/contract/values.ts';
import { createApi } from '../support/api.ts';
import { fuzz } from '../support/fuzz.ts';
import { hasOldParser, isParsersPage } from '../support/parser.ts';
import { openRaw } from '../support/raw-socket.ts';
import { useService } from '../support/suite.ts';

const suite = useService('fuzz_chunks');

/** Broken requests may never be answered: uWebSockets.js waits for more, or closes. */
const patienceMs = 60;
const answerMs = 30_000;

const hiddenTitle = 'hidden';
const hiddenBody = `{"title":"${hiddenTitle}"}`;
const withBody = `Host: a\r\nContent-Length: ${hiddenBody.length}\r\n\r\n${hiddenBody}`;
/** Tasks 1 and 2 exist, and no other request touches them. */
const hiddenRequests = [
  `POST /api/tasks HTTP/1.1\r\n${withBody}`,
  `PATCH /api/tasks/1 HTTP/1.1\r\n${withBody}`,
  'DELETE /api/tasks/2 HTTP/1.1\r\nHost: a\r\n\r\n',
];

type Place = 'behind' | 'trailer' | 'content' | 'extension' | 'later';

interface Thrown {
  readonly coding: string;
  readonly title: string;
  /** Where the body is cut into chunks, and the whole into segments: shares of its length. */
  readonly chunkCuts: readonly number[];
  readonly segmentCuts: readonly number[];
  readonly writeSize: (size: number) => string;
  readonly hasExtensions: boolean;
  readonly trailer: string;
  readonly hidden: { readonly request: string; readonly place: Place } | null;
  readonly breakage: ((wire: Buffer) => Buffer) | null;
}

const share = fc.noBias(fc.integer({ min: 0, max: 9999 })).map((part) => part / 10_000);
const shares = (maxLength: number) => fc.array(share, { maxLength });

const writeSize = fc.constantFrom<(size: number) => string>(
  (size) => size.toString(16),
  (size) => size.toString(16).toUpperCase(),
  (size) => size.toString(16).padStart(12, '0'),
  (size) => `${size.toString(16)} `,
);

/** Pieces that confuse chunk decoders. */
const pieces = [
  '\r\n',
  '\n',
  '\r',
  '0\r\n',
  '0\r\n\r\n',
  '1\r\n',
  'ffffffg0\r\n',
  'fffffff\r\n',
  ';a=b',
  ';name=value',
  '-',
  '+',
  '0x',
  ' ',
  '\t',
  '\0',
  '\xff',
  ...hiddenRequests,
];
const breakage = fc.oneof(
  fc.tuple(share, fc.constantFrom(...pieces)).map(
    ([at, piece]) =>
      (wire: Buffer) =>
        splice(wire, at, 0, Buffer.from(piece, 'latin1')),
  ),
  fc.tuple(share, fc.nat({ max: 255 })).map(
    ([at, byte]) =>
      (wire: Buffer) =>
        splice(wire, at, 1, Buffer.from([byte])),
  ),
  fc.tuple(share, fc.integer({ min: 1, max: 9 })).map(
    ([at, count]) =>
      (wire: Buffer) =>
        splice(wire, at, count, Buffer.alloc(0)),
  ),
);

function splice(wire: Buffer, at: number, count: number, piece: Buffer): Buffer {
  const from = Math.floor(at * wire.length);
  return Buffer.concat([wire.subarray(0, from), piece, wire.subarray(from + count)]);
}

const often = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { freq: 1 });
const thrown: fc.Arbitrary<Thrown> = fc.record({
  coding: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('chunked', 'Chunked', 'CHUNKED', '\tchunked ') },
    { weight: 1, arbitrary: fc.constantFrom('gzip', 'gzip, chunked', 'chunked, chunked', '') },
  ),
  title: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(isText),
  chunkCuts: shares(8),
  segmentCuts: shares(6),
  writeSize,
  hasExtensions: fc.boolean(),
  trailer: fc.constantFrom('', '', '', 'X-Checksum: abc\r\n', 'Host: b\r\nContent-Length: 5\r\n'),
  hidden: often(
    fc.record({
      request: fc.constantFrom(...hiddenRequests),
      place: fc.constantFrom<Place>('behind', 'trailer', 'content', 'extension', 'later'),
    }),
  ),
  breakage: often(breakage),
});

let count = 0;

test('of requests in chunks the well-formed are carried out once, and nothing hidden runs', async (t) => {
  const api = createApi(suite.service.port, 1);
  t.after(api.close);
  const pids = suite.service.frontEnds();
  assert.deepEqual(
    [await api.create({ title: 'one' }), await api.create({ title: 'two' })],
    [1, 2],
  );
  let made = 0;
  const hasTrailers = hasOldParser(suite.service);
  /** Requests answered 505: a trailer came with the last chunk. */
  const undone: string[] = [];

  await fuzz(t, thrown, async (inputs) => {
    await Promise.all(inputs.map(throwOne));
    const titles = JSON.stringify([hiddenTitle, ...undone.splice(0)]);
    const found = await suite.database.sql<{ id: string; version: string }[]>`
      SELECT id, version FROM tasks
      WHERE id <= 2 OR title IN (SELECT jsonb_array_elements_text(${titles}::text::jsonb)) ORDER BY id`;
    assert.deepEqual(
      found.map(({ id, version }) => `${id}-${version}`),
      ['1-1', '2-1'],
    );
    assert.deepEqual(suite.service.frontEnds(), pids);
  });
  t.diagnostic(`${made} tasks`);
  assert.ok(made > 0);
  assert.deepEqual(
    suite.service.log.filter(({ level }) => level === 'error'),
    [],
  );

  async function throwOne(input: Thrown): Promise<void> {
    const { coding, hidden, breakage: broken } = input;
    // All titles differ, also from the hidden ones.
    const title = `${++count} ${input.title}`;
    const head = Buffer.from(
      `POST /api/tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n`,
    );
    const wire = wireOf(input, title);
    const bytes = Buffer.concat([head, broken === null ? wire : broken(wire)]);
    const isPlain = broken === null && hidden === null && /chunked\s*$/i.test(coding);
    // uWebSockets.js reads digits in an extension after a space if a segment starts inside it.
    const isRead = !input.hasExtensions || input.segmentCuts.length === 0;
    const isUnderstood = input.trailer === '' || hasTrailers;
    const isChunked = isPlain && isRead && isUnderstood && !coding.includes(',');
    const connection = await openRaw(suite.service.port, null);
    for (const segment of cut(bytes, input.segmentCuts)) await connection.send(segment);
    const answers = [...(await connection.answers(1, isChunked ? answerMs : patienceMs))];
    if (hidden?.place === 'later') {
      await connection.send(hidden.request);
      answers.splice(0, answers.length, ...(await connection.answers(2, patienceMs)));
    }
    const where = `${JSON.stringify(bytes.toString('latin1'))}: ${connection.received()}`;
    // The parser's page may follow a response: it answers later bytes, which did not run.
    const [answer, ...others] = answers.filter((one) => !isParsersPage(one));
    assert.equal(others.length, 0, where);
    if (answer === undefined && answers.length > 0) undone.push(title);
    if (answer !== undefined) {
      const allowed = [201, 400, 413, 501];
      assert.ok(allowed.includes(answer.status), where);
      assert.equal(answer.headers.get('connection'), 'close', where);
    }
    if (isChunked) {
      assert.equal(answer?.status, 201, where);
      assert.equal(JSON.parse(answer.body).data.title, title, where);
      assert.ok(await connection.ended(answerMs), where);
    }
    if (answer?.status === 201) {
      made++;
      assert.ok(/^\s*chunked\s*$/i.test(coding), where);
    }
    connection.socket.resetAndDestroy();
  }
});

function wireOf(given: Thrown, title: string): Buffer {
  const { chunkCuts, writeSize: write, hasExtensions, trailer, hidden } = given;
  const extended = hasExtensions ? ' ;name="value"' : '';
  const inside = (place: Place) => (hidden?.place === place ? hidden.request : '');
  const body = Buffer.from(JSON.stringify({ title }) + inside('content'));
  const parts = cut(body, chunkCuts).flatMap((piece) => [
    Buffer.from(`${write(piece.length)}${extended}\r\n`),
    piece,
    Buffer.from('\r\n'),
  ]);
  const extension = hidden?.place === 'extension' ? ` ;${hidden.request}` : '';
  const end = `0${extension}\r\n${inside('trailer')}${trailer}\r\n${inside('behind')}`;
  return Buffer.concat([...parts, Buffer.from(end)]);
}

/** @param places shares of the length. @returns pieces, none of them empty. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
  return [...ends, bytes.length]
    .map((end, place, all) => bytes.subarray(all[place - 1] ?? 0, end))
    .filter((piece) => piece.length > 0);
}
