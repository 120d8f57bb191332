/** The report of c8 on the coverage files of all test processes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Coverage {
  /** False if a threshold of `.c8rc.json` is not reached. */
  readonly sufficient: boolean;
  readonly text: string;
}

export function reportCoverage(root: string, folder: string): Promise<Coverage> {
  const c8 = join(root, 'node_modules/c8/bin/c8.js');
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [c8, 'report', '--check-coverage', `--temp-directory=${folder}`],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ sufficient: code === 0, text }));
  });
}
