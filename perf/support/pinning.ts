/** Which processors a process may use, so that a load takes nothing from what it measures. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

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

/** The process and its descendants. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  } catch {
    // It has ended in the meantime.
    return undefined;
  }
}
