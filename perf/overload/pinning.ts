/** Pins processes to processors, so that the load takes no CPU time from the measured service. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { treeOf } from '../support/process-tree.ts';

export interface Processors {
  /** Lists in the format of `taskset`. */
  readonly load: string;
  readonly service: string;
}

/** The last processor for the load, the others for the service; `null` if that is not possible. */
export function divideProcessors(): Processors | null {
  const count = availableParallelism();
  const hasTool = spawnSync('taskset', ['--version']).status === 0;
  if (!hasTool || count < 2) return null;
  return { load: String(count - 1), service: count === 2 ? '0' : `0-${count - 2}` };
}

/** Pins all threads of the process and its descendants; later children inherit it. */
export function pinTree(root: number, processors: string): void {
  for (const pid of treeOf(root)) {
    // A process that has just ended does not matter.
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(pid)]);
  }
}
