import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigintArray, textArray } from '../../src/tasks/arrays.ts';

test('numbers and nulls are written as PostgreSQL reads them', () => {
  assert.equal(bigintArray([]), '{}');
  assert.equal(bigintArray([1, null, Number.MAX_SAFE_INTEGER]), '{1,NULL,9007199254740991}');
});

test('texts are always quoted, so that none is taken for syntax', () => {
  assert.equal(textArray([]), '{}');
  assert.equal(
    textArray(['', 'NULL', null, 'a,b', '{c}', 'd"e', 'f\\g', ' h ']),
    '{"","NULL",NULL,"a,b","{c}","d\\"e","f\\\\g"," h "}',
  );
});
