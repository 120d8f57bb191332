import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  conditionPattern,
  isKnownTo,
  taskEtag,
  versionsOf,
} from '../../src/contract/entity-tags.ts';

test('If-Match names versions of the task by strong comparison', () => {
  for (const [header, expected] of [
    ['*', 'any'],
    ['"7-1"', [1]],
    ['"7-1", "7-22"', [1, 22]],
    [' "7-1" ,,"7-2",', [1, 2]],
    // Weak, of another task, of a list, and impossible ones.
    ['W/"7-1"', []],
    ['"8-1"', []],
    ['"7-01"', []],
    ['"7-0"', []],
    ['"7-9999999999999999"', []],
    ['"a,b"', []],
    ['""', []],
    ['"8-1", "7-3"', [3]],
  ] as const) {
    assert.deepEqual(versionsOf(header, 7, 'strong'), expected, header);
  }
});

test('a malformed list of entity tags is told apart from one that fits nothing', () => {
  for (const header of [
    '7-1',
    '"7-1',
    '7-1"',
    '"7-1" "7-2"',
    '"a" b',
    '*, "7-1"',
    ',',
    'w/"7-1"',
  ]) {
    assert.equal(versionsOf(header, 7, 'strong'), undefined, header);
  }
});

test('If-None-Match on a write names versions by weak comparison', () => {
  for (const [header, expected] of [
    ['*', 'any'],
    ['W/"7-1"', [1]],
    ['"7-1", W/"7-22", "8-3"', [1, 22]],
    ['W/"8-1"', []],
  ] as const) {
    assert.deepEqual(versionsOf(header, 7, 'weak'), expected, header);
  }
});

test('If-None-Match compares weakly, and a malformed one says nothing', () => {
  for (const header of ['"7-1"', 'W/"7-1"', '"x", W/"7-1"', '*', ' "7-1" ']) {
    assert.equal(isKnownTo(header, '"7-1"'), true, header);
  }
  for (const header of ['"7-2"', '7-1', '"7-1', '"7-1" x', 'W/"7-11"']) {
    assert.equal(isKnownTo(header, '"7-1"'), false, header);
  }
});

test('a tag that was given out is understood when it comes back', () => {
  const number = fc.integer({ min: 1, max: 10 ** 15 - 1 });
  fc.assert(
    fc.property(number, fc.array(number, { minLength: 1 }), (id, versions) => {
      const header = versions.map((version) => taskEtag(id, version)).join(', ');
      assert.deepEqual(versionsOf(header, id, 'strong'), versions);
    }),
  );
});

test('no header makes reading it throw or take long, and both ways of reading agree', () => {
  const pieces = ['"1-1"', 'W/"1-1"', '"1-2"', '"', ',', ', ', ' ', 'W/', '*', '1-1', 'é', '\t'];
  const header = fc.oneof(
    fc.string({ maxLength: 4000 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((some) => some.join('')),
  );
  fc.assert(
    fc.property(header, (text) => {
      const versions = versionsOf(text, 1, 'weak');
      // Who knows the present version of a task has named it.
      const isNamed = versions === 'any' || versions?.includes(1) === true;
      assert.equal(isKnownTo(text, '"1-1"'), isNamed, text);
    }),
    { numRuns: 2000 },
  );
  const before = process.cpuUsage();
  for (const piece of ['"', ',', ' ', 'W/', '"a"', '"a",', '\t']) {
    versionsOf(piece.repeat(16_384), 1, 'weak');
  }
  // CPU time, which other processes do not affect.
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2_000_000);
});

test('the description of a condition is what the service takes', () => {
  const described = new RegExp(conditionPattern);
  const part = fc.constantFrom(
    '*',
    '"',
    'W/',
    '"7-1"',
    'W/"a"',
    '""',
    ',',
    ' ',
    '\t',
    'x',
    '\0',
    'é',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const header = parts.join('');
      const taken = versionsOf(header, 7, 'strong') !== undefined;
      assert.equal(described.test(header), taken, JSON.stringify(header));
    }),
    { numRuns: 5000 },
  );
});
