/**
 * Compares an installed package with its upstream folder, byte by byte:
 *
 *   node test/tooling/compare-binaries.ts node_modules/uWebSockets.js UPSTREAM
 *
 * Compares every file except package.json, whose name differs. Exit code 0: all are equal; 1: one
 * differs, or is missing upstream; 2: there is nothing to compare.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const [ours, theirs] = process.argv.slice(2);
if (ours === undefined || theirs === undefined) {
  refuse('usage: compare-binaries PACKAGE UPSTREAM');
}
for (const folder of [ours, theirs]) {
  if (!isFolder(folder)) refuse(`there is no folder ${folder}`);
}
const files = filesOf(ours);
if (!files.some((file) => file.endsWith('.node'))) refuse(`there is no binary in ${ours}`);

let differing = 0;
for (const file of files) {
  const difference = compare(join(ours, file), join(theirs, file));
  if (difference !== null) differing++;
  console.log(`${file}: ${difference ?? 'the same'}`);
}
console.log(`${files.length - differing} of ${files.length} files are the same`);
process.exitCode = differing === 0 ? 0 : 1;

/** @returns the difference; `null` if there is none. */
function compare(own: string, upstream: string): string | null {
  if (!existsSync(upstream)) return 'not in the upstream folder';
  const [a, b] = [readFileSync(own), readFileSync(upstream)];
  if (a.equals(b)) return null;
  return `differs from byte ${firstDifference(a, b)} on; package ${describe(a)}, upstream ${describe(b)}`;
}

/** The index of the first different byte. If one file is a prefix of the other, its length. */
function firstDifference(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return length;
}

function describe(bytes: Buffer): string {
  return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file !== 'package.json' && statSync(join(folder, file)).isFile())
    .sort();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function refuse(reason: string): never {
  console.error(reason);
  process.exit(2);
}
