/** Lets several people measure on one machine in turn: flock(1) on a file that they agree on. */
import { spawn } from 'node:child_process';
import { adopt } from './children.ts';

/** Runs it alone; without a file at once. */
export async function alone<Result>(
  file: string | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  if (file === undefined) return run();
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // Whoever ends a measurement that still waits must not wait for the lock.
  adopt(holder);
  await new Promise((resolve, reject) => {
    holder.once('error', reject);
    holder.once('close', () => reject(new Error('the wait for the lock was broken off')));
    holder.stdout.once('data', resolve);
  });
  try {
    return await run();
  } finally {
    holder.stdin.end();
  }
}
