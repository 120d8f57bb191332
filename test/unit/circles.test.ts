import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgesOf, findCircles } from '../support/circles.ts';

function source(file: string, ...targets: readonly string[]) {
  return { file, imports: targets.map((target) => ({ target, isLocal: target.includes('/') })) };
}

const itself = (file: string): string => file;

test('a circle is told with every file in it', () => {
  const sources = [source('p/a', 'p/b', 'node'), source('p/b', 'p/c'), source('p/c', 'p/b')];
  assert.deepEqual(findCircles(edgesOf(sources, itself)), ['p/b → p/c → p/b']);
});

test('two ways to one file are no circle', () => {
  const sources = [source('p/a', 'p/b', 'p/c'), source('p/b', 'p/d'), source('p/c', 'p/d')];
  assert.deepEqual(findCircles(edgesOf(sources, itself)), []);
});

test('folders make a circle that no file makes', () => {
  const sources = [source('p/a', 'q/b'), source('q/c', 'p/d')];
  assert.deepEqual(findCircles(edgesOf(sources, itself)), []);
  const folders = edgesOf(sources, (file) => file.split('/')[0]!);
  assert.deepEqual(findCircles(folders), ['p → q → p']);
});

test('a file that imports itself is a circle', () => {
  assert.deepEqual(findCircles(edgesOf([source('p/a', 'p/a')], itself)), ['p/a → p/a']);
});
