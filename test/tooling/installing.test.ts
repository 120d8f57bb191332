/** The helpers of tests that may install programs, on a machine that has none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'installing-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const programs = join(folder, 'programs');
const calls = join(folder, 'calls');
mkdirSync(programs);
for (const name of ['sh', 'flock', 'rm', 'chmod']) linkProgram(name);
// The fake programs record their arguments and fail.
for (const name of ['apt-get', 'python3', 'go']) {
  const file = join(programs, name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $* GOPROXY=$GOPROXY" >>'${calls}'\nexit 1\n`);
  chmodSync(file, 0o755);
}

/** A module that the child process loads, and its output. */
const asked = `
  const [{ withoutRedis }, { findHadolint }, { findCompose }] = await Promise.all(
    ['redis', 'hadolint', 'compose'].map((name) => import(process.argv[1] + '/' + name + '.js')));
  console.log('said: ' + JSON.stringify([withoutRedis(), findHadolint(), findCompose()]));
`;

function ask(install: string): { readonly said: readonly string[]; readonly calls: string } {
  rmSync(calls, { force: true });
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', asked, join(import.meta.dirname, '../support')],
    { encoding: 'utf8', env: { PATH: programs, TEST_INSTALL: install } },
  );
  const said = /^said: (.*)$/m.exec(stdout)?.[1];
  assert.ok(said !== undefined, stdout + stderr);
  return { said: JSON.parse(said), calls: existsSync(calls) ? readFileSync(calls, 'utf8') : '' };
}

function linkProgram(name: string): void {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  if (stdout.trim() !== '') symlinkSync(stdout.trim(), join(programs, name));
}

test('nothing is installed or fetched without TEST_INSTALL=1, and the reason of a skip says what is missing', () => {
  const { said, calls: made } = ask('');
  assert.doesNotMatch(made, /apt-get|python3/);
  assert.match(made, /^go build .* GOPROXY=off$/m);
  const missing = ['redis-server', 'hadolint', 'docker compose'];
  for (const [index, name] of missing.entries()) {
    assert.match(said[index]!, new RegExp(`${name}.*TEST_INSTALL=1`));
  }
});

test('TEST_INSTALL=1 fetches what is missing', () => {
  const { calls: made } = ask('1');
  assert.match(made, /^python3 -m pip install /m);
  assert.match(made, /^go build .* GOPROXY=$/m);
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) assert.match(made, /^apt-get /m);
});
