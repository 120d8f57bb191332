/**
 * Marks all processes and files of a test run, so that they can be removed even if a test file or
 * an earlier run was killed.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In the environment of every process of a run: the pid of the run. */
export const markName = 'TASKS_TEST_RUN';
const folderPrefix = 'tasks-test-';

export function makeRunFolder(): string {
  return mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
}

/** Ends the processes that this run left. @returns their command lines. */
export function endOwnProcesses(): string[] {
  return endProcesses((run) => run === process.pid);
}

/** Ends the processes and removes the files of killed runs. */
export function removeLeftovers(): void {
  endProcesses((run) => !isAlive(run));
  for (const name of readdirSync(tmpdir())) {
    const run = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1];
    if (run === undefined || isAlive(Number(run))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Owned by another user.
    }
  }
}

/** Ends the process that the runner has started for a test file. */
export function endTestFile(file: string): void {
  for (const pid of listNumbers('/proc')) {
    const isOurs = new RegExp(`^PPid:\\t${process.pid}$`, 'm').test(read(`/proc/${pid}/status`));
    if (isOurs && read(`/proc/${pid}/cmdline`).split('\0').includes(file)) kill(pid);
  }
}

/** Where there is no /proc nothing is found. */
function endProcesses(isChosen: (run: number) => boolean): string[] {
  const ended: string[] = [];
  for (const pid of listNumbers('/proc')) {
    const run = new RegExp(`(?:^|\\0)${markName}=(\\d+)\\0`).exec(
      read(`/proc/${pid}/environ`),
    )?.[1];
    if (run === undefined || pid === process.pid || !isChosen(Number(run))) continue;
    ended.push(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim());
    kill(pid);
  }
  return ended;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

function listNumbers(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
