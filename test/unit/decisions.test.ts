/** What documents say in numbers, against what the sources have. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { primaryConnections } from '../../src/config/connection-budget.ts';
import { root } from '../support/house.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

test('ADR 14 tells how long the pipeline is, to an eighth', () => {
  const said = /`(src\/[\w/]+\/)`, about (\d+) lines/.exec(
    read('docs/adr/0014-a-pipeline-of-our-own.md'),
  );
  const [, folder = '', lines] = said ?? assert.fail('it names no folder and lines');
  let count = 0;
  for (const file of readdirSync(join(root, folder))) {
    count += read(join(folder, file)).split('\n').length;
  }
  assert.ok(Math.abs(count - Number(lines)) < count / 8, `${folder} has ${count} lines`);
});

test('ARCHITECTURE.md counts the connections of the primary as the budget does', () => {
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six'];
  assert.match(
    read('ARCHITECTURE.md').replaceAll(/\s+/g, ' '),
    new RegExp(`So it has at most ${words[primaryConnections]}\\b`),
  );
});
