/** The paths of an embedded database. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolders } from './folders.ts';

export interface EmbeddedPaths {
  readonly root: string;
  /** PostgreSQL's own data directory. */
  readonly cluster: string;
  /** The directory of the Unix socket. */
  readonly socket: string;
  /** The log of the server's current run. */
  readonly log: string;
  /** Names the server that must keep running when the process that started it ends. */
  readonly keep: string;
}

/** The limit of a Unix socket's path (Linux 107, macOS 103), minus the file name. */
const socketDirMaxBytes = 103 - '/.s.PGSQL.5432'.length;

export function pathsOf(dataDir: string): EmbeddedPaths {
  const root = resolve(dataDir);
  return {
    root,
    cluster: join(root, 'postgres'),
    socket: socketDirOf(root),
    log: join(root, 'postgres.log'),
    keep: join(root, 'keep-running'),
  };
}

/** Access to the socket is administrator access, so only this user may have it. */
export function makeSocketDir(path: string): void {
  makeFolders(path, 0o700);
  const { mode, uid } = lstatSync(path);
  const isDirectory = (mode & 0o170000) === 0o040000;
  // In a shared temporary folder another user may have created it first.
  if (isDirectory && (mode & 0o077) === 0 && uid === (process.getuid?.() ?? uid)) return;
  throw new Error(`${path} must be a folder that belongs to this user alone (mode 0700)`);
}

function socketDirOf(root: string): string {
  const beside = join(root, 'socket');
  if (Buffer.byteLength(beside) <= socketDirMaxBytes) return beside;
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const name = `tasks-${process.getuid?.() ?? 0}-${hash}`;
  const short = join(tmpdir(), name);
  // TMPDIR may name a folder that does not exist.
  const isUsable = Buffer.byteLength(short) <= socketDirMaxBytes && existsSync(tmpdir());
  return isUsable ? short : join('/tmp', name);
}
