/** Reads a file named by a variable, without blocking. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export type SmallFile =
  | { readonly ok: true; readonly bytes: Buffer }
  /**
   * The system's error code, or what is wrong with the file. Never its path: it may be a secret.
   */
  | { readonly ok: false; readonly reason: string };

/** A pipe without a writer or an endless device would block the process for ever. */
export function readSmallFile(path: string, bytesMax: number): SmallFile {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(file);
    if (status.isDirectory()) return { ok: false, reason: 'EISDIR' };
    if (!status.isFile()) return { ok: false, reason: 'not a regular file' };
    const bytes = Buffer.alloc(bytesMax + 1);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(file, bytes, length, bytes.length - length, null);
      if (count === 0) return { ok: true, bytes: bytes.subarray(0, length) };
      length += count;
    }
    return { ok: false, reason: `more than ${bytesMax} bytes` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { ok: false, reason: code };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
