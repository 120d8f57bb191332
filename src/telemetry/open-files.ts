/** Counts and reserves file descriptors. Each connection is one. */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';

/**
 * The current soft limit RLIMIT_NOFILE, which Node raises to the hard limit at its start.
 * `undefined` where the system does not report it (Linux: proc(5)).
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

/** `undefined` where the system does not report it (Linux 6.2 and later: proc(5)). */
export function openFiles(): number | undefined {
  try {
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens files only to reserve their descriptors.
 * @returns `undefined` if there are not so many.
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
