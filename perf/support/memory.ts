/** Resident memory of a process and its descendants, from /proc (proc(5)). */
import { readFileSync } from 'node:fs';
import { treeOf } from './process-tree.ts';

export interface Memory {
  readonly processes: number;
  /** Shared pages count in full for each process. */
  readonly residentMiB: number;
  /** Shared pages count by their share. */
  readonly proportionalMiB: number;
}

/** @returns null if the system does not report it. */
export function readMemory(root: number): Memory | null {
  let processes = 0;
  let resident = 0;
  let proportional = 0;
  for (const pid of treeOf(root)) {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      resident += kibibytes(text, 'Rss');
      proportional += kibibytes(text, 'Pss');
      processes++;
    } catch {
      // It has ended meanwhile.
    }
  }
  if (processes === 0) return null;
  return { processes, residentMiB: resident / 1024, proportionalMiB: proportional / 1024 };
}

function kibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
