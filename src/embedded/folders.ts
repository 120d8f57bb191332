/** Creates folders. Node's recursive mkdir does not terminate on some file systems. */
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Creates the folder and its parents, or none of them. Node's `recursive` loops for ever where the
 * system returns ENOENT although the parent exists, as below `/proc`, and blocks all signals.
 * @throws the system's error; ENOTDIR if a path component is not a folder.
 */
export function makeFolders(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) {
    missing.push(folder);
    if (folder === dirname(folder)) break;
  }
  missing.reverse();
  try {
    for (const folder of missing) makeFolder(folder, mode);
  } catch (error) {
    for (const folder of missing.reverse()) removeEmpty(folder);
    throw error;
  }
  if (statSync(path).isDirectory()) return;
  throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), {
    code: 'ENOTDIR',
    syscall: 'mkdir',
  });
}

function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Another process may have created it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** A folder that is not empty, or does not exist, stays as it is. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {}
}
