/** The folder of the files that front ends count in. It goes with its primary. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tasks-metrics-';

export interface MetricFolder {
  readonly path: string;
  remove(): void;
}

/** Also removes what primaries that were killed have left. Throws when there is no place for it. */
export function makeMetricFolder(): MetricFolder {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    // In a container every primary has the same number; ours has made none yet.
    if (pid !== undefined && (Number(pid) === process.pid || !lives(Number(pid))))
      remove(join(tmpdir(), name));
  }
  const path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  return { path, remove: () => remove(path) };
}

/** Somebody else's is theirs to remove. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
