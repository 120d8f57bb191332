import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const program = resolve(import.meta.dirname, 'compare-binaries.js');
const folder = mkdtempSync(join(tmpdir(), 'binaries-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ours = join(folder, 'ours');
mkdirSync(join(ours, 'inner'), { recursive: true });
write(ours, 'package.json', '{"name":"@somebody/server"}');
write(ours, 'server.js', "module.exports = require('./one.node');");
write(ours, 'one.node', 'binary one');
write(ours, 'inner/two.node', 'binary two');

test('files that are the same byte by byte pass, whatever else upstream has', () => {
  const theirs = upstream('same');
  write(theirs, 'package.json', '{"name":"server"}');
  write(theirs, 'three.node', 'binary three');
  const { status, stdout } = compare(ours, theirs);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^3 of 3 files are the same$/m);
});

test('a byte that differs fails, with file, place, sizes and digests', () => {
  const theirs = upstream('byte');
  write(theirs, 'inner/two.node', 'binary twO');
  const { status, stdout } = compare(ours, theirs);
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^inner\/two\.node: differs from byte 9 on; package 10 bytes, sha256 [0-9a-f]{64}, upstream 10 bytes, sha256/m,
  );
  assert.match(stdout, /^one\.node: the same$/m);
  assert.match(stdout, /^2 of 3 files are the same$/m);
});

test('a file that goes on fails', () => {
  const theirs = upstream('longer');
  write(theirs, 'one.node', 'binary one and more');
  const { status, stdout } = compare(ours, theirs);
  assert.equal(status, 1);
  assert.match(stdout, /^one\.node: differs from byte 10 on/m);
});

test('the program that loads the binary is compared too', () => {
  const theirs = upstream('loader');
  write(theirs, 'server.js', '');
  assert.equal(compare(ours, theirs).status, 1);
});

test('a file that upstream does not have fails', () => {
  const theirs = upstream('missing');
  rmSync(join(theirs, 'one.node'));
  const { status, stdout } = compare(ours, theirs);
  assert.equal(status, 1);
  assert.match(stdout, /^one\.node: not in the upstream folder$/m);
});

test('nothing has passed where there is nothing to compare', () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  for (const [args, reason] of [
    [[empty, ours], /there is no binary in/],
    [[ours, join(folder, 'absent')], /there is no folder/],
    [[join(folder, 'absent'), ours], /there is no folder/],
    [[ours], /usage/],
  ] as const) {
    const { status, stderr } = compare(...args);
    assert.equal(status, 2);
    assert.match(stderr, reason);
  }
});

function upstream(name: string): string {
  const copy = join(folder, name);
  cpSync(ours, copy, { recursive: true });
  return copy;
}

function write(into: string, file: string, text: string): void {
  writeFileSync(join(into, file), text);
}

function compare(...args: readonly string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
}
