import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowMessage } from '../../perf/micro/encode.ts';
import {
  bindAndExecute,
  closeMessage,
  parseMessage,
} from '../../src/database/pipeline/protocol-messages.ts';
import { createReader, lengthAt } from '../../src/database/pipeline/reader.ts';
import { readByteTexts, readValues } from '../../src/database/pipeline/row.ts';
import { isFatal, serverError } from '../../src/database/pipeline/server-error.ts';
import { statementName } from '../../src/database/pipeline/statement-name.ts';

const message = fc.record(
  { type: fc.integer({ min: 49, max: 122 }), body: fc.uint8Array() },
  { noNullPrototype: true },
);

function encode({ type, body }: { type: number; body: Uint8Array }): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

test('messages of the server are found wherever they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(message),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(encode));
        const seen: { type: number; body: Uint8Array }[] = [];
        const reader = createReader((type, chunk, at, end) => {
          seen.push({ type, body: Uint8Array.from(chunk.subarray(at, end)) });
        }, assert.fail);
        let at = 0;
        for (let cut = 0; at < bytes.length; cut++) {
          const size = cuts[cut % cuts.length]!;
          const chunk = Buffer.from(bytes.subarray(at, at + size));
          reader.feed(chunk);
          // The socket reuses its buffer in the same way.
          chunk.fill(0xff);
          at += size;
        }
        assert.deepEqual(seen, messages);
      },
    ),
  );
});

test('messages of the server have lengths that can be, or the rest is not read', () => {
  for (const length of [-1, -2_000_000_000, 0, 3, 64 * 1024 * 1024 + 1, 2_000_000_000]) {
    let refused = 0;
    const types: number[] = [];
    const reader = createReader(
      (type) => types.push(type),
      () => refused++,
    );
    const bad = Buffer.from([0x44, 0, 0, 0, 0]);
    bad.writeInt32BE(length, 1);
    const good = encode({ type: 0x5a, body: new Uint8Array(1) });
    reader.feed(Buffer.concat([good, bad.subarray(0, 2)]));
    reader.feed(Buffer.concat([bad.subarray(2), good]));
    reader.feed(good);
    assert.deepEqual([types, refused], [[0x5a], 1], String(length));
  }
});

test('messages of the server end an error also where a field of it has no end', () => {
  const bytes = Buffer.from('E\0\0\0\x0cC42601VERROR\0');
  const { code, severity } = serverError(bytes, 5, bytes.length - 1);
  assert.deepEqual({ code, severity }, { code: 'XX000', severity: 'ERROR' });
  assert.equal(serverError(Buffer.from('Cabc'), 0, 4).code, 'XX000');
});

test('messages of the server have rows of texts and NULLs', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.string({ unit: 'binary' }))), fc.nat(9), (values, at) => {
      const bytes = Buffer.concat([Buffer.alloc(at), rowMessage(values)]);
      assert.deepEqual(readValues(bytes, at), values);
      assert.deepEqual(
        readByteTexts(bytes, at),
        values.map((value) => value && Buffer.from(value).toString('latin1')),
      );
    }),
  );
});

test("messages of the server say that the connection ends, also in a pooler's own words", () => {
  const bytes = Buffer.from('SFATAL\0C08P01\0Mquery_wait_timeout\0\0');
  assert.equal(isFatal(serverError(bytes, 0, bytes.length)), true);
});

test('messages of the server say what failed by codes, names and message, and nothing of its values', () => {
  const text =
    'SFEHLER\0VERROR\0C23505\0Mduplicate\0DKey (title)=(secret)\0Hsecret\0Wsecret\0' +
    'ssecret\0tsecret\0ntitles\0R_bt_check_unique\0\0';
  const bytes = Buffer.from(text);
  const error = serverError(bytes, 0, bytes.length, true);
  assert.deepEqual(
    { ...error, message: error.message },
    {
      code: '23505',
      severity: 'ERROR',
      message: 'duplicate',
      routine: '_bt_check_unique',
      constraint: 'titles',
      hasContext: true,
      isRunning: true,
    },
  );
});

test('our messages bind every text, and their lengths are right', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.boolean(), (parameters, isLast) => {
      const bytes = bindAndExecute('s1', parameters, isLast);
      assert.equal(bytes.toString('latin1', 0, 1), 'B');
      const end = 1 + lengthAt(bytes, 1);
      const sync = isLast ? 'S\0\0\0\x04' : '';
      assert.equal(bytes.toString('latin1', end), `E\0\0\0\x09\0\0\0\0\0${sync}`);
      assert.equal(bytes.toString('latin1', 5, 9), '\0s1\0');
      let at = 13;
      assert.equal(bytes.readUInt16BE(11), parameters.length);
      for (const parameter of parameters) {
        const length = lengthAt(bytes, at);
        assert.equal(bytes.toString('utf8', at + 4, at + 4 + length), parameter);
        at += 4 + length;
      }
      assert.equal(at + 2, end);
    }),
  );
});

test('our messages name what is parsed', () => {
  const bytes = parseMessage('s1', 'SELECT 1');
  assert.equal(bytes.toString('latin1'), 'P\0\0\0\x12s1\0SELECT 1\0\0\0');
  assert.equal(closeMessage('s1').toString('latin1'), 'C\0\0\0\x08Ss1\0');
});

test('our messages name a statement by its text, so that no other can ever run under that name', () => {
  const name = statementName('SELECT 1');
  assert.match(name, /^tasks_[A-Za-z0-9_-]{22}$/);
  assert.equal(statementName('SELECT 1'), name);
  assert.notEqual(statementName('SELECT 2'), name);
});
