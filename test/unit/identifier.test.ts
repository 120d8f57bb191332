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

test('no text is read as anything but itself', () => {
  fc.assert(
    fc.property(fc.string(), (segment) => {
      const id = parseId(segment);
      if (typeof id === 'number') assert.equal(String(id), segment);
    }),
  );
});
