import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idMax } from '../../src/contract/limits.ts';
import { parseId } from '../../src/http/identifier.ts';

test('every id that a task can have is read back exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: idMax }), (id) => {
      assert.equal(parseId(String(id)), id);
    }),
  );
});

test('a number above the largest id is absent, not malformed', () => {
  for (const segment of ['9007199254740992', '9223372036854775807', '1'.repeat(400)]) {
    assert.equal(parseId(segment), 'absent', segment);
  }
});

test('anything but canonical decimal is malformed', () => {
  const segments = [
    '',
    '0',
    '00',
    '01',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    ' 1',
    '1 ',
    '%31',
    '１',
    '1n',
  ];
  for (const segment of segments) assert.equal(parseId(segment), 'malformed', segment);
});

/** What BigInt reads, and writes the same way. */
function expectedOf(segment: string): number | 'malformed' | 'absent' {
  let number: bigint;
  try {
    number = BigInt(segment);
  } catch {
    return 'malformed';
  }
  if (number < 1n || String(number) !== segment) return 'malformed';
  return number <= BigInt(idMax) ? Number(number) : 'absent';
}

test('text that looks like a number is read as BigInt reads it, or refused', () => {
  const around = fc.bigInt({ min: BigInt(idMax) - 9n, max: BigInt(idMax) + 9n }).map(String);
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 20 });
  const alike = fc.string({ unit: fc.constantFrom(...'012 +-.exn_٣１'), maxLength: 5 });
  fc.assert(
    fc.property(fc.oneof(around, digits, alike), (segment) => {
      assert.equal(parseId(segment), expectedOf(segment));
    }),
    { numRuns: 2000 },
  );
});
