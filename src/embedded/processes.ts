/** Information about processes that are not children of this one. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Identifies a process among all that ever have its pid: letters and digits from its start time
 * and, where available, the boot time.
 */
export function identityOf(pid: number): string {
  const startedAt = statusFields(pid)[19];
  return startedAt === undefined
    ? ask(pid, 'lstart').replaceAll(/[^A-Za-z0-9]/g, '')
    : `${startedAt}${bootId()}`;
}

/** Program and arguments, separated by spaces; empty if unknown. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ask(pid, 'command');
  }
}

/** @returns `undefined` if unknown. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** @returns false if it is still alive after `milliseconds`. */
export async function waitUntilGone(pid: number, milliseconds: number): Promise<boolean> {
  const giveUp = performance.now() + milliseconds;
  while (isAlive(pid)) {
    if (performance.now() > giveUp) return false;
    await sleep(10);
  }
  return true;
}

/** In a container without an init process, dead orphans stay in the process list. */
function isZombie(pid: number): boolean {
  return statusFields(pid)[0] === 'Z';
}

/** The fields of proc(5) `/proc/pid/stat` after the name, which may contain spaces. */
function statusFields(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function bootId(): string {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    return id.replaceAll('-', '').slice(0, 8);
  } catch {
    return '';
  }
}

/** For systems without /proc. */
function ask(pid: number, what: 'lstart' | 'command'): string {
  const { stdout } = spawnSync('ps', ['-ww', '-o', `${what}=`, '-p', String(pid)], {
    encoding: 'utf8',
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    timeout: 5000,
    killSignal: 'SIGKILL',
  });
  return (stdout ?? '').trim();
}
