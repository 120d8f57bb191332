/** The folder of the files that front ends count in. It goes with its primary. */
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tasks-metrics-';
/** Memory, on Linux: a file there has no journal and no disk. */
const sharedMemory = '/dev/shm';

export interface MetricFolder {
  readonly path: string;
  remove(): void;
}

/**
 * Also removes what primaries that were killed have left. Throws when there is no place for it.
 * @param isAlive whether there is a process of that number.
 */
export function makeMetricFolder(isAlive: (pid: number) => boolean): MetricFolder {
  const parent = isWritable(sharedMemory) ? sharedMemory : tmpdir();
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    // In a container every primary has the same number; ours has made none yet.
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

/** Somebody else's is theirs to remove. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}
