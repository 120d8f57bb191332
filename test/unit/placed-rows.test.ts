import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowMessage } from '../../perf/micro/encode.ts';
import { countOf, oneRow } from '../../src/database/pipeline/row.ts';
import {
  inOrderOf,
  noContent,
  readCreatedAnswer,
  readJudgedAnswer,
  readKeyedAnswer,
  readPlacedCreated,
  readTaskAnswer,
} from '../../src/tasks/item-answers.ts';
import { atPlaces, byPlace } from '../../src/tasks/placed-rows.ts';

const impossible = /^ImpossibleRows: impossible rows/;
const row = (place: number) => ({ place, answer: `of ${place}` });
const task = [
  '7',
  '1',
  'title',
  '',
  'done',
  '0',
  '2026-01-31 12:00:00+00',
  '2026-01-31 12:00:00+00',
];

test('rows come to those whose place they bear, in any order and with any of them missing', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 })), (places) => {
      const rows = places.map(row);
      const answers = atPlaces(rows, 40, 'none');
      for (let place = 1; place <= 40; place++) {
        const expected = places.includes(place) ? `of ${place}` : 'none';
        assert.equal(answers[place - 1], expected);
      }
      const known = byPlace(rows, [...places, 99]);
      assert.deepEqual([...known].sort(), places.map((place) => [place, `of ${place}`]).sort());
    }),
  );
});

test('a row too many is nobody’s answer', () => {
  for (const rows of [[row(1), row(1)], [row(0)], [row(4)], [row(Number.NaN)], [row(1.5)]]) {
    assert.throws(() => atPlaces(rows, 3, 'none'), impossible);
    assert.throws(() => byPlace(rows, [1, 2, 3]), impossible);
  }
  assert.throws(() => inOrderOf([1], [noContent, noContent]), impossible);
});

test('a row with another number of columns is no answer', () => {
  for (const read of [readTaskAnswer, readCreatedAnswer]) {
    assert.equal(read(rowMessage(task), 0).id, 7);
    for (const wrong of [[], task.slice(1), [...task, '1']]) {
      assert.throws(() => read(rowMessage(wrong), 0), impossible);
    }
  }
  assert.equal(readPlacedCreated(rowMessage([...task, '3']), 0).place, 3);
  assert.throws(() => readPlacedCreated(rowMessage(task), 0), impossible);
});

test('a row without a verdict that we know is no answer', () => {
  for (const read of [readKeyedAnswer, readJudgedAnswer]) {
    for (const verdict of ['', 'yes', null]) {
      assert.throws(() => read(rowMessage([...task, '1', verdict]), 0), impossible);
    }
  }
});

test('a statement of one row has one, and numbers are numbers', () => {
  assert.deepEqual(oneRow([['1', 'a']], 2), ['1', 'a']);
  for (const rows of [
    [],
    [['1']],
    [['1', null]],
    [
      ['1', 'a'],
      ['2', 'b'],
    ],
  ]) {
    assert.throws(() => oneRow(rows, 2), /^Error: impossible rows/);
  }
  assert.equal(countOf('12'), 12);
  for (const text of ['', 'x', '1e3', '1.5', ' 1']) assert.throws(() => countOf(text));
});
