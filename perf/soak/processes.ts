/** What a process holds: memory, file descriptors, threads (Linux, proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

export interface Footprint {
  readonly residentMiB: number;
  readonly descriptors: number;
  readonly threads: number;
}

export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]);
  return {
    residentMiB: number('VmRSS') / 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('Threads'),
  };
}
