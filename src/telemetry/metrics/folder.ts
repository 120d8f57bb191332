/** The folder for the metric files of the front ends. The primary removes it at its end. */
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tasks-metrics-';
/** In memory on Linux: writes need no journal and no disk. */
const sharedMemory = '/dev/shm';

export interface MetricFolder {
  readonly path: string;
  remove(): void;
}

/**
 * Also removes the folders of primaries that were killed. Throws when no folder can be made.
 * @param isAlive whether a process with this pid exists.
 */
export function makeMetricFolder(isAlive: (pid: number) => boolean): MetricFolder {
  const parent = isWritable(sharedMemory) ? sharedMemory : tmpdir();
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    // In containers all primaries may have the same pid; this one has not made its folder yet.
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      remove(join(parent, name));
  }
  const path = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  return { path, remove: () => remove(path) };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder of another user cannot be removed; ignore it. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}
