/** Where an embedded database keeps what. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolders } from './folders.ts';

export interface EmbeddedPaths {
  readonly root: string;
  /** PostgreSQL's own data directory. */
  readonly cluster: string;
  /** The directory of the unix socket. */
  readonly socket: string;
  /** The server's log of its present run. */
  readonly log: string;
  /** Names the server that is to go on running when the process that started it ends. */
  readonly keep: string;
}

/** The limit of a unix socket's path, less its end (Linux 107, macOS 103). */
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

/** Whoever can open the socket is the database's administrator: it is for our user alone. */
export function makeSocketDir(path: string): void {
  makeFolders(path, 0o700);
  const { mode, uid } = lstatSync(path);
  const isDirectory = (mode & 0o170000) === 0o040000;
  // Others may have been there first, in a temporary folder that everybody can write to.
  if (isDirectory && (mode & 0o077) === 0 && uid === (process.getuid?.() ?? uid)) return;
  throw new Error(`${path} must be a folder that belongs to this user alone (mode 0700)`);
}

function socketDirOf(root: string): string {
  const beside = join(root, 'socket');
  if (Buffer.byteLength(beside) <= socketDirMaxBytes) return beside;
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const name = `tasks-${process.getuid?.() ?? 0}-${hash}`;
  const short = join(tmpdir(), name);
  // TMPDIR may name a folder that is not there.
  const isUsable = Buffer.byteLength(short) <= socketDirMaxBytes && existsSync(tmpdir());
  return isUsable ? short : join('/tmp', name);
}
