/** Tracks the child processes of a measurement, so that none outlives it. */
import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();
const stopMaxMs = 20_000;
let ending = false;

/** Call it for each child; it is untracked when it ends. */
export function adopt(child: ChildProcess): void {
  children.add(child);
  child.once('close', () => children.delete(child));
  // The child was started while a signal was ending the others.
  if (ending) child.kill('SIGTERM');
}

/** Sends SIGTERM, and SIGKILL after 20 s. Resolves when the child has ended. */
export function stopChild(child: ChildProcess): Promise<void> {
  if (!children.has(child)) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMaxMs);
    child.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

export async function stopChildren(): Promise<void> {
  await Promise.all([...children].map(stopChild));
}

/**
 * A signal ends the children. Code that waits for one then fails, and the measurement ends in its
 * usual order, the database last. A second signal ends it at once.
 */
export function endChildrenOnSignals(): void {
  const end = (): void => {
    if (ending) process.exit(1);
    ending = true;
    for (const child of children) child.kill('SIGTERM');
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}
