/**
 * Lock files of the processes that use a data directory, so that two never share it.
 *
 * Each starter first creates a file named by its pid and start time, and then looks for others. Of
 * two at once, at least the later one sees the other's file. So never do both continue. A file left
 * by a crash has no owner, even if its pid is in use again.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive } from './processes.ts';

export interface Owner {
  release(): void;
}

const prefix = 'owner.';
/** Two starters that see each other both withdraw, and retry after a random delay. */
const attemptsMax = 4;
const stepBackMs = 100;

/** @throws an Error that names the pid of the process that uses the folder. */
export async function takeOwnership(folder: string): Promise<Owner> {
  const file = join(folder, `${prefix}${process.pid}.${identityOf(process.pid)}`);
  for (let attempt = 1; ; attempt++) {
    if (!claim(file)) refuse(process.pid);
    const others = livingOwners(folder).filter((pid) => pid !== process.pid);
    if (others.length === 0) return { release: () => rmSync(file, { force: true }) };
    rmSync(file, { force: true });
    if (attempt === attemptsMax) refuse(others[0]!);
    await sleep(stepBackMs * (1 + Math.random()));
  }
}

/** @returns false if this process already owns the folder. */
function claim(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the files of dead processes: their names are never used again. */
function livingOwners(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => {
      const [pid, identity] = name.slice(prefix.length).split('.');
      if (isAlive(Number(pid)) && identityOf(Number(pid)) === identity) return [Number(pid)];
      rmSync(join(folder, name), { force: true });
      return [];
    });
}

function refuse(pid: number): never {
  throw new Error(
    `the embedded database is in use by process ${pid}: stop that one, ` +
      'or set DATA_DIR to another folder, or DB_HOST to a PostgreSQL of your own',
  );
}
