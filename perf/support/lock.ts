/** Lets several users of a machine measure in turn: flock(1) on a shared file. */
import { spawn } from 'node:child_process';
import { adopt } from './children.ts';

/** Runs it with the lock; without a file at once. */
export async function alone<Result>(
  file: string | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  if (file === undefined) return run();
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // An interrupted measurement must not keep waiting for the lock.
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
