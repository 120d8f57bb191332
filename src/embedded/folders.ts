/** Makes folders. Node's own way never ends on a file system that has no place for them. */
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * The folder and those above it, or none of them. Node's `recursive` would begin anew without end where the system
 * says ENOENT though the folder above is there, as below `/proc`, and no signal would be heard.
 * @throws the system's error, also ENOTDIR when something else is there.
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
    // Another process may have been quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** One that is not empty, or was never made, stays as it is. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {}
}
