/**
 * Measures the changes since a commit: builds that commit in a separate folder, and compares it
 * with the current state under the same load, in turns.
 *
 *   make bench-compare BASE=<commit> SCENARIO=get   [ROUNDS=10] [SECONDS=3]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readText } from '../support/options.ts';
import { rootDir } from '../support/paths.ts';

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'HEAD' },
    scenario: { type: 'string', default: 'get' },
  },
});
const hash = git(['rev-parse', '--short', '--verify', `${values.base}^{commit}`]);
const folder = resolve(rootDir, '.data/compare', hash);
if (!existsSync(join(folder, 'dist/src/main.js'))) buildBase();

const words = ['--scenario', values.scenario, '--program-a', join(folder, 'dist/src/main.js')];
for (const name of ['rounds', 'seconds', 'connections']) {
  const value = readText(name.toUpperCase());
  if (value !== undefined) words.push(`--${name}`, value);
}
process.stderr.write(`a is ${hash}, b is this state\n`);
const compare = join(rootDir, 'dist/perf/compare/main.js');
const child = spawn(process.execPath, [compare, ...words], { cwd: rootDir, stdio: 'inherit' });
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});

/** Uses the packages of the current state. A commit with others needs its own folder and npm ci. */
function buildBase(): void {
  process.stderr.write(`building ${hash} …\n`);
  git(['worktree', 'prune']);
  rmSync(folder, { recursive: true, force: true });
  git(['worktree', 'add', '--detach', '--force', folder, hash]);
  symlinkSync(join(rootDir, 'node_modules'), join(folder, 'node_modules'));
  const tsc = join(rootDir, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', folder], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${hash} cannot be built`);
}

function git(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', words, { cwd: rootDir, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}
