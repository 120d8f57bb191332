/**
 * The server process of an embedded database. It is not a child process: it outlives its starter.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { ordinaryUserPrefix } from './ordinary-user.ts';
import { type EmbeddedPaths, makeSocketDir } from './paths.ts';
import {
  commandLineOf,
  identityOf,
  isAlive,
  waitUntilGone,
  workingDirectoryOf,
} from './processes.ts';

export interface Postmaster {
  readonly pid: number;
  /** Unique: no other process ever has it. */
  readonly identity: string;
  /** The directory of its Unix socket. */
  readonly socket: string;
}

export const port = 5432;
/** After a crash, the server first replays its write-ahead log, up to `max_wal_size`. */
const startTimeoutMs = 300_000;
/** The time for backends of a killed server to notice and detach from shared memory. */
const orphansTimeoutMs = 15_000;
const orphansRetryMs = 200;
const stopTimeoutMs = 30_000;

const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  // Far above the default of DB_CONNECTIONS; leaves room for psql.
  max_connections: '100',
  shared_buffers: `${sharedBuffersMb()}MB`,
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // No replica reads the write-ahead log.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // The log is only truncated at a start: no statements, because they contain values.
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_autovacuum_min_duration: '-1',
};

/**
 * A quarter of the memory, as the manual advises ("Resource Consumption"), up to a size that would
 * slow the start. A page outside the buffers is copied from the kernel at each read.
 */
function sharedBuffersMb(): number {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 && limit < totalmem() ? limit : totalmem();
  return Math.round(Math.max(128, Math.min(2048, bytes / 4 / 1024 ** 2)));
}

/** The server of this folder, ready or not. A pid in the file may belong to another process now. */
export function findServer(paths: EmbeddedPaths): Postmaster | undefined {
  const lines = pidFile(paths);
  const pid = Number(lines[0]);
  if (!isAlive(pid) || !isServerOf(pid, paths.cluster)) return undefined;
  return { pid, identity: identityOf(pid), socket: lines[4] || paths.socket };
}

/**
 * Resolves when the server accepts connections. Rejects with the server's log if it does not start,
 * and with the signal's reason if aborted.
 */
export async function startServer(
  paths: EmbeddedPaths,
  binaries: Binaries,
  signal: AbortSignal,
): Promise<Postmaster> {
  makeSocketDir(paths.socket);
  const giveUp = performance.now() + orphansTimeoutMs;
  for (;;) {
    try {
      return await tryToStart(paths, binaries, signal);
    } catch (error) {
      const hasOrphans = /pre-existing shared memory/.test(String(error));
      if (!hasOrphans || performance.now() > giveUp) throw error;
      await sleep(orphansRetryMs);
    }
  }
}

/** Rejects with the signal's reason if aborted. @returns false if the server ended before. */
export async function waitUntilReady(
  paths: EmbeddedPaths,
  pid: number,
  signal: AbortSignal,
  lives: () => boolean = () => isAlive(pid),
): Promise<boolean> {
  const giveUp = performance.now() + startTimeoutMs;
  while (!isReady(paths, pid)) {
    signal.throwIfAborted();
    if (!lives()) return false;
    if (performance.now() > giveUp) {
      throw new Error(`the embedded database was not ready after ${startTimeoutMs / 1000} s`);
    }
    await sleep(10);
  }
  return true;
}

/** SIGINT: fast shutdown, SIGQUIT: immediate (PostgreSQL manual, "Shutting Down the Server"). */
export async function stopServer(pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (isAlive(pid)) process.kill(pid, signal);
    if (await waitUntilGone(pid, stopTimeoutMs)) return;
  }
  throw new Error(`the embedded database, process ${pid}, does not stop`);
}

async function tryToStart(
  paths: EmbeddedPaths,
  binaries: Binaries,
  signal: AbortSignal,
): Promise<Postmaster> {
  signal.throwIfAborted();
  disownPidFile(paths);
  const log = openSync(paths.log, 'w', 0o600);
  const [command, ...args] = [
    ...ordinaryUserPrefix(),
    binaries.postgres,
    ...['-D', paths.cluster, '-p', String(port), '-k', paths.socket],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  // A separate session: Ctrl-C in the terminal must not reach it before requests have drained.
  const child = spawn(command!, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let lives = true;
  let failure = '';
  child.once('error', (error) => {
    lives = false;
    failure = error.message;
  });
  child.once('exit', () => {
    lives = false;
  });
  child.unref();
  const pid = child.pid ?? 0;
  let isThere: boolean;
  try {
    isThere = await waitUntilReady(paths, pid, signal, () => lives);
  } catch (error) {
    // Its pid file may not exist yet, so no other code would find it.
    if (lives) await stopServer(pid);
    throw error;
  }
  if (isThere) {
    return { pid, identity: identityOf(pid), socket: paths.socket };
  }
  const output = readFileSync(paths.log, 'utf8');
  throw new Error(`the embedded database did not start:\n${failure}${output}`);
}

/**
 * The server refuses to start while the pid in its pid file is alive, even if another process has
 * it now, or it is a zombie. It treats its parent's pid as stale, so this writes that pid. The rest
 * of the file stays: the server uses it to check for backends of a former server, so deleting the
 * file is unsafe (CreateLockFile in miscinit.c).
 */
function disownPidFile(paths: EmbeddedPaths): void {
  const [, ...rest] = pidFile(paths);
  if (rest.length > 0) {
    writeFileSync(join(paths.cluster, 'postmaster.pid'), [process.pid, ...rest].join('\n'));
  }
  // This file guards only the socket, in a folder of this user.
  rmSync(join(paths.socket, `.s.PGSQL.${port}.lock`), { force: true });
}

/** The server writes its state into the last line of its pid file. */
function isReady(paths: EmbeddedPaths, pid: number): boolean {
  const lines = pidFile(paths);
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

function isServerOf(pid: number, cluster: string): boolean {
  const command = commandLineOf(pid);
  const folder = workingDirectoryOf(pid);
  // The server's working directory is its data directory, whatever path it was given.
  if (folder === undefined) return command.includes(`/postgres -D ${cluster} `);
  return command.includes('/postgres -D ') && folder === realpathSync(cluster);
}

function pidFile(paths: EmbeddedPaths): string[] {
  try {
    return readFileSync(join(paths.cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}
