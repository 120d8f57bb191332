import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeCursor,
  encodeCursor,
  type Order,
  type SortField,
  sortFields,
} from '../../src/contract/cursor.ts';
import { cursorMaxCharacters, idMax, titleLengthMaxCodePoints } from '../../src/contract/limits.ts';
import { statuses } from '../../src/contract/values.ts';

const orderOf = (field: SortField): Order => ({ field, descending: false });
const valuesOf: Readonly<Record<SortField, fc.Arbitrary<string>>> = {
  id: fc.constant(''),
  title: fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: titleLengthMaxCodePoints }),
      fc
        .constantFrom('😀', '\u0001', '"', '\\')
        .map((letter) => letter.repeat(titleLengthMaxCodePoints)),
    )
    .filter((text) => !text.includes('\0')),
  status: fc.constantFrom(...statuses),
  assigneeID: fc.maxSafeInteger().map((number) => String(Math.abs(number))),
  createdAt: fc.constantFrom('2026-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'),
  updatedAt: fc.constantFrom('0001-01-01T00:00:00Z'),
};
const position = fc.constantFrom(...sortFields).chain((field) =>
  fc.record({
    field: fc.constant(field),
    id: fc.integer({ min: 1, max: idMax }),
    value: valuesOf[field],
  }),
);

test('a cursor is read back, and never longer than its bound', () => {
  fc.assert(
    fc.property(position, fc.string(), ({ field, id, value }, scope) => {
      const token = encodeCursor({ id, value }, scope);
      assert.match(token, /^[\w-]+$/);
      assert.ok(token.length <= cursorMaxCharacters, String(token.length));
      assert.deepEqual(decodeCursor(token, orderOf(field), scope), { id, value });
      assert.equal(decodeCursor(token, orderOf(field), `${scope}x`), undefined);
    }),
    { numRuns: 2000 },
  );
});

test('the bound is reached, by the longest title of four bytes a code point', () => {
  const value = '😀'.repeat(titleLengthMaxCodePoints);
  assert.equal(encodeCursor({ id: idMax, value }, '').length, cursorMaxCharacters);
});

test('bytes that no cursor has are refused', () => {
  const good = encodeCursor({ id: 7, value: 'title' }, 'scope');
  const bytes = Buffer.from(good, 'base64url');
  const altered = (change: (copy: Buffer) => void): string => {
    const copy = Buffer.from(bytes);
    change(copy);
    return copy.toString('base64url');
  };
  const tokens = [
    '',
    'x',
    `${good}=`,
    `${good}\n`,
    `${good.slice(0, -1)}`,
    // The previous layout.
    Buffer.from('[1,12,7,"title"]').toString('base64url'),
    altered((copy) => copy.fill(1, 0, 1)),
    altered((copy) => copy.fill(0xff, 5, 13)),
    altered((copy) => copy.fill(0xff, 13)),
    altered((copy) => copy.fill(0, 13)),
    Buffer.concat([bytes, Buffer.alloc(300, 'x')]).toString('base64url'),
    'A'.repeat(100_000),
  ];
  for (const token of tokens) {
    assert.equal(decodeCursor(token, orderOf('title'), 'scope'), undefined, token.slice(0, 80));
  }
});

test('no token throws, and one that is taken is the one that is made, with a value of its field', () => {
  const isValue: Readonly<Record<SortField, RegExp>> = {
    id: /^$/,
    title: /^[^\0]{0,255}$/su,
    status: new RegExp(`^(${statuses.join('|')})$`),
    assigneeID: /^(0|[1-9]\d{0,15})$/,
    createdAt: /^\d{4}-\d\d-\d\dT/,
    updatedAt: /^\d{4}-\d\d-\d\dT/,
  };
  const values = fc.oneof(
    fc.constantFrom('', ...statuses, '7', '07', '-7', ' 7', '7.0', 'a\0b', '2026-02-30T00:00:00Z'),
    fc.string({ unit: 'binary' }),
  );
  const token = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => {
      const head = Buffer.from(encodeCursor({ id: 1, value: '' }, 'scope'), 'base64url');
      return Buffer.concat([head.subarray(0, 5), bytes]).toString('base64url');
    }),
    // Ids that may be, and values that look like one.
    fc.tuple(fc.nat(), fc.oneof(values, fc.uint8Array({ maxLength: 20 }))).map(([id, value]) => {
      const head = Buffer.from(encodeCursor({ id, value: '' }, 'scope'), 'base64url');
      return Buffer.concat([head, Buffer.from(value)]).toString('base64url');
    }),
  );
  fc.assert(
    fc.property(token, fc.constantFrom(...sortFields), (given, field) => {
      const read = decodeCursor(given, orderOf(field), 'scope');
      if (read === undefined) return;
      assert.match(read.value, isValue[field]);
      // Times are taken in more ways than one.
      if (field === 'createdAt' || field === 'updatedAt') return;
      assert.equal(encodeCursor(read, 'scope'), given);
    }),
    { numRuns: 3000 },
  );
});
