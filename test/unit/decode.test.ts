import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { statuses } from '../../src/contract/task.ts';
import { createBodyDecoder, type Decoded } from '../../src/tasks/decode.ts';

const decoder = createBodyDecoder();

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function accepted<Value>(decoded: Decoded<Value>): Value {
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return decoded.value;
}

function faults(decoded: Decoded<unknown>): string[] {
  assert.ok(!decoded.ok, JSON.stringify(decoded));
  return decoded.faults.map(({ code, field }) => `${code} ${field}`).sort();
}

const create = (body: unknown) => decoder.create(bytesOf(body));
const change = (body: unknown) => decoder.change(bytesOf(body));

test('a title is enough, and the rest has its defaults', () => {
  assert.deepEqual(accepted(create({ title: ' x ' })), {
    title: ' x ',
    description: '',
    status: 'pending',
    assigneeId: 0,
  });
});

test('a field that was not sent stays as it is in a change', () => {
  assert.deepEqual(accepted(change({ assigneeID: null })), {
    title: null,
    description: null,
    status: null,
    assigneeId: 0,
  });
});

test('any valid draft is read back as it was written', () => {
  const text = (maxLength: number) =>
    fc.string({ unit: 'binary', maxLength }).filter((value) => !value.includes('\0'));
  const draft = fc.record({
    title: text(255).filter((title) => /\S/.test(title)),
    description: text(2000),
    status: fc.constantFrom(...statuses),
    assigneeID: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  });
  fc.assert(
    fc.property(draft, ({ assigneeID, ...rest }) => {
      const expected = { ...rest, assigneeId: assigneeID };
      assert.deepEqual(accepted(create({ ...rest, assigneeID })), expected);
      assert.deepEqual(accepted(create({ ...rest, assignee_id: assigneeID })), expected);
      assert.deepEqual(accepted(change({ ...rest, assigneeID })), expected);
    }),
  );
});

test('lengths count code points', () => {
  assert.equal(accepted(create({ title: '😀'.repeat(255) })).title.length, 510);
  assert.deepEqual(faults(create({ title: '😀'.repeat(256) })), ['too_long title']);
  assert.deepEqual(faults(create({ title: 'x', description: 'é'.repeat(16_385) })), [
    'too_long description',
  ]);
});

test('a blank title is refused whatever the white space', () => {
  for (const title of ['', ' ', '\t\n\r', '\u00a0', '\u2003\u3000', '\ufeff', '\u2028']) {
    assert.deepEqual(faults(create({ title })), ['invalid title'], JSON.stringify(title));
  }
});

test('text that PostgreSQL cannot store faithfully is refused', () => {
  assert.deepEqual(faults(create('{"title":"a\\u0000b"}')), ['invalid title']);
  assert.deepEqual(faults(create('{"title":"\\ud800"}')), ['invalid title']);
  assert.deepEqual(faults(create('{"title":"x","description":"\\udc00\\ud800"}')), [
    'invalid description',
  ]);
});

test('all faults are reported together, one a field', () => {
  const body = { title: '', status: 'Done', assigneeID: 1.5, foo: 1, description: 7 };
  assert.deepEqual(faults(create(body)), [
    'invalid assigneeID',
    'invalid description',
    'invalid status',
    'invalid title',
    'unknown_field foo',
  ]);
});

test('names of an object prototype are unknown fields', () => {
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
    assert.deepEqual(faults(create(`{"title":"x","${name}":{}}`)), [`unknown_field ${name}`]);
  }
});

test('numbers that lose digits or are none are refused', () => {
  for (const value of ['9007199254740992', '1e400', '-1', '0.5', '"1"', 'true', '[]', '{}']) {
    const expected = ['invalid assigneeID'];
    assert.deepEqual(faults(create(`{"title":"x","assigneeID":${value}}`)), expected, value);
  }
  assert.equal(accepted(create('{"title":"x","assigneeID":1.0}')).assigneeId, 1);
});

test('both names of the assignee must agree', () => {
  assert.equal(accepted(create({ title: 'x', assigneeID: 3, assignee_id: 3 })).assigneeId, 3);
  assert.equal(accepted(create({ title: 'x', assigneeID: 0, assignee_id: null })).assigneeId, 0);
  const differing = { title: 'x', assigneeID: 3, assignee_id: 4 };
  assert.deepEqual(faults(create(differing)), ['invalid assigneeID']);
  assert.deepEqual(faults(change(differing)), ['invalid assigneeID']);
});

test('read-only fields are ignored, and alone change nothing', () => {
  const readOnly = { id: 'x', createdAt: 1, updatedAt: [], created_at: {}, updated_at: null };
  assert.equal(accepted(create({ title: 'x', ...readOnly })).title, 'x');
  assert.deepEqual(faults(change(readOnly)), ['missing_field null']);
  assert.deepEqual(faults(change({})), ['missing_field null']);
});

test('a body that is not one JSON object in UTF-8 is refused', () => {
  const malformed = ['', ' ', '{', '{"title":"x"} {}', "{'title':'x'}", '\ufeff{"title":"x"}'];
  for (const body of malformed) {
    assert.deepEqual(faults(create(body)), ['malformed_json null'], body);
  }
  const notUtf8 = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
  assert.deepEqual(faults(create(notUtf8)), ['malformed_json null']);
  for (const body of ['[]', '[{"title":"x"}]', 'null', '1', '"x"', 'true']) {
    assert.deepEqual(faults(create(body)), ['invalid null'], body);
  }
});

test('nesting is bounded, also in a field that is ignored', () => {
  const nested = (depth: number) => `{"title":"x","id":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.equal(accepted(create(nested(19))).title, 'x');
  assert.deepEqual(faults(create(nested(20))), ['invalid null']);
  assert.deepEqual(faults(create(nested(60_000))), ['invalid null']);
});

test('no bytes make the decoder throw, and what it accepts is a task', () => {
  const whole = '{"title":"x","description":"y","status":"done","assigneeID":7}';
  const at = fc.nat(whole.length);
  const piece = fc.constantFrom(
    '',
    '"',
    '{}',
    ',',
    ':',
    '\\',
    '\\u0000',
    '\0',
    '7',
    'null',
    'é',
    ' ',
  );
  const damaged = fc
    .tuple(at, fc.nat(3), piece)
    .map(([from, length, added]) => whole.slice(0, from) + added + whole.slice(from + length));
  fc.assert(
    fc.property(fc.oneof(fc.json(), damaged, fc.uint8Array()), (body) => {
      change(body);
      const result = create(body);
      if (!result.ok) return;
      const { title, status } = result.value;
      assert.ok(title.length >= 1 && !title.includes('\0') && statuses.includes(status));
    }),
    { numRuns: 2000 },
  );
});
