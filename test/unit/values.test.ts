import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formats } from '../../src/contract/formats.ts';
import {
  afterAllTimes,
  beforeAllTimes,
  isText,
  readNumber,
  readTime,
  timestampOf,
} from '../../src/contract/values.ts';

const times: readonly (readonly [given: string, read: string | undefined])[] = [
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31t12:00:00z', '2026-01-31T12:00:00Z'],
  ['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31T12:00:00.120Z', '2026-01-31T12:00:00.12Z'],
  ['2026-01-31T12:00:00-00:00', '2026-01-31T12:00:00Z'],
  // PostgreSQL takes offsets up to 15:59, RFC 3339 up to 23:59.
  ['2024-01-01T00:00:00+16:00', '2023-12-31T08:00:00Z'],
  ['2024-01-01T00:00:00.5+23:59', '2023-12-31T00:01:00.5Z'],
  ['2023-12-31T23:30:00-23:59', '2024-01-01T23:29:00Z'],
  // Digits beyond a column's precision still distinguish two times.
  ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456Z'],
  ['2026-01-01T00:00:00.1230000009Z', '2026-01-01T00:00:00.123001Z'],
  [`2026-01-01T00:00:00.${'0'.repeat(300)}1Z`, '2026-01-01T00:00:00.000001Z'],
  [`2026-01-01T00:00:00.${'0'.repeat(300)}Z`, '2026-01-01T00:00:00Z'],
  ['2026-01-01T00:00:00.999999999Z', '2026-01-01T00:00:00.999999Z'],
  // Leap seconds, where one can occur.
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
  ['2016-12-31T15:59:60.25-08:00', '2017-01-01T00:00:00.25Z'],
  ['2015-06-30T23:59:60Z', '2015-07-01T00:00:00Z'],
  ['2016-12-30T23:59:60Z', undefined],
  ['2016-12-31T23:58:60Z', undefined],
  ['2016-12-31T23:59:60+01:00', undefined],
  ['2016-12-31T23:59:61Z', undefined],
  // The years that the tables can hold, in UTC.
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['0001-01-01T00:00:00+00:01', beforeAllTimes],
  ['0000-02-29T00:00:00Z', beforeAllTimes],
  ['0000-12-31T23:59:59-00:01', '0001-01-01T00:00:59Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ['9999-12-31T23:59:59.9999999Z', afterAllTimes],
  ['9999-12-31T23:59:59-00:01', afterAllTimes],
  ['9999-12-31T23:59:60Z', afterAllTimes],
  ['2026-02-29T00:00:00Z', undefined],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-00-01T00:00:00Z', undefined],
  ['2026-01-00T00:00:00Z', undefined],
  ['2026-01-01T24:00:00Z', undefined],
  ['2026-01-01T00:00:00', undefined],
  ['2026-01-01T00:00:00.Z', undefined],
  ['2026-01-01T00:00:00+24:00', undefined],
  ['2026-01-01 00:00:00Z', undefined],
  ['10000-01-01T00:00:00Z', undefined],
  ['-001-01-01T00:00:00Z', undefined],
  ['infinity', undefined],
  ['', undefined],
];

for (const [given, read] of times) {
  const name = given.length > 60 ? `${given.slice(0, 60)}...` : given;
  test(`the time ${name} is ${read ?? 'refused'}`, () => assert.equal(readTime(given), read));
}

test('a time that was read is read as itself', () => {
  const time = fc
    .tuple(
      fc.integer({ min: -62_200_000_000_000, max: 253_500_000_000_000 }),
      fc.integer({ min: 0, max: 999_999_999 }),
    )
    .filter(([ms]) => ms >= Date.parse('0000-01-01T00:00:00Z') && ms < 253_402_300_800_000)
    .map(([ms, nanoseconds]) =>
      new Date(ms)
        .toISOString()
        .replace(/\.\d+Z/, `.${String(nanoseconds).padStart(9, '0')}+05:30`),
    );
  fc.assert(
    fc.property(time, (given) => {
      const read = readTime(given);
      assert.ok(read !== undefined, given);
      assert.equal(readTime(read), read);
      assert.match(read, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/);
    }),
  );
});

test('only the bound before all times is another one for PostgreSQL, which has no year 0', () => {
  assert.equal(timestampOf(beforeAllTimes), '-infinity');
  assert.equal(timestampOf(afterAllTimes), afterAllTimes);
  assert.equal(timestampOf('0001-01-01T00:00:00Z'), '0001-01-01T00:00:00Z');
});

test('an answer has only times that a table can hold', () => {
  const { holds } = formats['date-time']!;
  assert.ok(holds('0001-01-01T00:00:00.000Z'));
  assert.ok(holds('9999-12-31T23:59:59.999Z'));
  for (const text of ['infinityT.000Z', '0000-12-31T23:59:59.999Z', '10000-01-01T00:00:00.000Z']) {
    assert.ok(!holds(text), text);
  }
});

test('numbers and texts are those that PostgreSQL takes and JSON says exactly', () => {
  assert.equal(readNumber('0'), 0);
  assert.equal(readNumber('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const word of [
    '9007199254740992',
    '00',
    '-0',
    '+1',
    '1.0',
    '1e3',
    '',
    ' 1',
    '9'.repeat(40),
  ]) {
    assert.equal(readNumber(word), undefined, word);
  }
  assert.ok(isText('😀\u0001\uffff'));
  for (const text of ['a\0', '\ud800', '\udc00x']) assert.ok(!isText(text));
});
