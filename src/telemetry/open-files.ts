/** Open files of this process: every connection is one, and so is much that it needs to work. */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';

/**
 * RLIMIT_NOFILE as it is now: the soft limit, which Node raises to the hard one when it starts.
 * `undefined` where the system does not tell (Linux: proc(5)).
 */
export function openFilesMax(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** `undefined` where the system does not tell (Linux from 6.2 on: proc(5)). */
export function openFiles(): number | undefined {
  try {
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Files that are held only to be given back, so that somebody else may have them.
 * @returns `undefined`: there are not so many.
 */
export function holdFiles(count: number): number[] | undefined {
  const held: number[] = [];
  try {
    while (held.length < count) held.push(openSync('/dev/null', 'r'));
    return held;
  } catch {
    releaseFiles(held);
    return undefined;
  }
}

export function releaseFiles(held: readonly number[]): void {
  for (const file of held) closeSync(file);
}
