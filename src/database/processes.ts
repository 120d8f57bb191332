/** What the system says about processes that are not our children. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Empty where it cannot be told. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return (
      spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? ''
    );
  }
}

/** Tells a process from a later one with the same pid; empty where the system has no /proc. */
export function startTimeOf(pid: number): string {
  return statusFields(pid)[19] ?? '';
}

/** @returns false when it still lives after `milliseconds`. */
export async function waitUntilGone(pid: number, milliseconds: number): Promise<boolean> {
  const giveUp = performance.now() + milliseconds;
  while (isAlive(pid)) {
    if (performance.now() > giveUp) return false;
    await sleep(10);
  }
  return true;
}

/** A container without an init keeps dead orphans in the list of processes. */
function isZombie(pid: number): boolean {
  return statusFields(pid)[0] === 'Z';
}

/** The fields of proc(5) `/proc/pid/stat` behind the name, which may itself hold spaces. */
function statusFields(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
