/** The server process of an embedded database. It is nobody's child: it outlives its starter. */
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
  /** No other process ever has it. */
  readonly identity: string;
  /** Where its unix socket is. */
  readonly socket: string;
}

export const port = 5432;
/** After a crash it first repeats what its log of changes holds, up to `max_wal_size`. */
const startTimeoutMs = 300_000;
/** Until backends of a server that was killed have noticed and let go of its memory. */
const orphansTimeoutMs = 15_000;
const orphansRetryMs = 200;
const stopTimeoutMs = 30_000;

const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  // DB_CONNECTIONS by default is far below, and somebody may look with psql.
  max_connections: '100',
  shared_buffers: `${sharedBuffersMb()}MB`,
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // No replica reads this server's log of changes.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // The log file is emptied at each start only: no statements, which hold values, no routine.
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_autovacuum_min_duration: '-1',
};

/**
 * A quarter of the memory, as the manual advises ("Resource Consumption"), and no more than what
 * begins to slow the start. A page that is not in there is copied from the system for each read.
 */
function sharedBuffersMb(): number {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 && limit < totalmem() ? limit : totalmem();
  return Math.round(Math.max(128, Math.min(2048, bytes / 4 / 1024 ** 2)));
}

/** The server of this very folder, whether ready or not: a pid file may name anybody by now. */
export function findServer(paths: EmbeddedPaths): Postmaster | undefined {
  const lines = pidFile(paths);
  const pid = Number(lines[0]);
  if (!isAlive(pid) || !isServerOf(pid, paths.cluster)) return undefined;
  return { pid, identity: identityOf(pid), socket: lines[4] || paths.socket };
}

/**
 * Resolves when it takes connections. Rejects with the server's log when it does not start, and
 * with the signal's reason when that ends it early.
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

/** Rejects early with the signal's reason. @returns false when it stopped before it was ready. */
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
  // Its own session: Ctrl-C in the terminal must not reach it before requests have drained.
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
    // Its pid file may not be there yet, so nobody else would find it.
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
 * The server refuses to start while the pid in its pid file is alive, be it somebody else's by now
 * or a dead process that nobody has reaped. Its parent's pid it takes for stale. The rest of the
 * file stays: by it the server finds out whether a former one's backends are still at work, so
 * deleting the file would be unsafe (CreateLockFile in miscinit.c).
 */
function disownPidFile(paths: EmbeddedPaths): void {
  const [, ...rest] = pidFile(paths);
  if (rest.length > 0) {
    writeFileSync(join(paths.cluster, 'postmaster.pid'), [process.pid, ...rest].join('\n'));
  }
  // This one guards the socket alone, in a folder that is ours.
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
  // A server works in its data directory, by whatever path it was told of it.
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
