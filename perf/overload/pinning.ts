/** Which processors a process may use, so that a load takes nothing from what it measures. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { treeOf } from '../support/process-tree.ts';

export interface Processors {
  /** Lists as `taskset` reads them. */
  readonly load: string;
  readonly service: string;
}

/** The last processor for the load, the others for the service; `null` where that cannot be. */
export function divideProcessors(): Processors | null {
  const count = availableParallelism();
  const hasTool = spawnSync('taskset', ['--version']).status === 0;
  if (!hasTool || count < 2) return null;
  return { load: String(count - 1), service: count === 2 ? '0' : `0-${count - 2}` };
}

/** All threads of the process and of its descendants; what they start later inherits it. */
export function pinTree(root: number, processors: string): void {
  for (const pid of treeOf(root)) {
    // One that has just ended is no loss.
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(pid)]);
  }
}
