/** The processes that a measurement has started: none of them outlives it. */
import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();
const stopMaxMs = 20_000;
let ending = false;

/** To be called for each child; it is forgotten when it ends. */
export function adopt(child: ChildProcess): void {
  children.add(child);
  child.once('close', () => children.delete(child));
  // Started while a signal was ending the others.
  if (ending) child.kill('SIGTERM');
}

/** Asks with SIGTERM, insists after 20 s. Resolves when the child is gone. */
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
 * A signal ends the children; whoever waits for one then fails, and the measurement ends in its
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
