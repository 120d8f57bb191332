/**
 * A real PostgreSQL in a folder, for machines without one. It is durable and listens only on a Unix
 * socket. It is not a child process: it survives Ctrl-C until requests have drained, and the next
 * start adopts it after a crash of the service.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseConfig } from '../config/config.ts';
import { createDatabaseIfMissing } from '../database/migrate/create-database.ts';
import type { Logger } from '../telemetry/log.ts';
import { findBinaries } from './binaries.ts';
import { createDataDirectory } from './data-directory.ts';
import { makeFolders } from './folders.ts';
import { type Owner, takeOwnership } from './owner.ts';
import { type EmbeddedPaths, pathsOf } from './paths.ts';
import {
  findServer,
  type Postmaster,
  port,
  startServer,
  stopServer,
  waitUntilReady,
} from './postmaster.ts';
import { waitUntilGone } from './processes.ts';
import { type Watch, watchServer } from './watch.ts';

export interface EmbeddedDatabase {
  readonly config: DatabaseConfig;
  /** The server was running already. */
  readonly adopted: boolean;
  /**
   * Until then, a server that dies is restarted. Stops the server unless `keep`; releases the
   * folder.
   */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Absolute, or relative to the working directory. Created if missing. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Default: `tasks`. */
  readonly databaseName?: string | undefined;
  /** Leaves the server running until `stopEmbedded`, also after later starts without `keep`. */
  readonly keep?: boolean;
  /** Aborts a start: it rejects and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

/** The time from a process's closed sockets to its end. */
const dyingMs = 2000;

/** Rejects with a message that says what to do if it cannot run here or the folder is in use. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { log } = options;
  const paths = pathsOf(options.dataDir);
  const owner = await openFolder(paths);
  /** Aborts a start: the first one, or the restart of a dead server. */
  const interruption = new AbortController();
  const { signal } = interruption;
  let stopping: Promise<void> | undefined;
  let watch: Watch | undefined;
  const stop = (): Promise<void> => {
    interruption.abort(new Error('the embedded database is to stop'));
    stopping ??= stopWatched().finally(owner.release);
    return stopping;
  };
  async function stopWatched(): Promise<void> {
    await watch?.end();
    await stopUnlessKept(paths);
  }
  const interrupt = (): void => interruption.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', interrupt);
  if (options.signal?.aborted === true) interrupt();
  try {
    const { databaseName = 'tasks' } = options;
    const adopted = await adopt(paths, databaseName, log, signal);
    const server = adopted ?? (await start(paths, log, signal));
    const config = configOf(server, databaseName);
    if (adopted === undefined) await createDatabaseIfMissing(config, log);
    if (options.keep === true) writeFileSync(paths.keep, server.identity);
    watch = watchServer(server, { restart: () => start(paths, log, signal), log });
    return { config, adopted: adopted !== undefined, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw explain(error, paths.root);
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
  }
}

/** Stops the server, also with `keep`. @returns false if none was running. */
export async function stopEmbedded(dataDir: string): Promise<boolean> {
  const paths = pathsOf(dataDir);
  if (!existsSync(paths.root)) return false;
  const owner = await openFolder(paths);
  try {
    rmSync(paths.keep, { force: true });
    const server = findServer(paths);
    if (server !== undefined) await stopServer(server.pid);
    return server !== undefined;
  } finally {
    owner.release();
  }
}

/** @throws an Error that names DATA_DIR if the folder cannot be created or written to. */
async function openFolder(paths: EmbeddedPaths): Promise<Owner> {
  try {
    makeFolders(paths.root);
    return await takeOwnership(paths.root);
  } catch (error) {
    throw explain(error, paths.root);
  }
}

/** Adds what to do to the system's error about a file. */
function explain(error: unknown, root: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new Error(
    `the folder of the embedded database, ${root}, cannot be used (${error.message}): set DATA_DIR to ` +
      'one that this user may write to, or DB_HOST to a PostgreSQL of your own',
    { cause: error },
  );
}

async function start(paths: EmbeddedPaths, log: Logger, signal: AbortSignal): Promise<Postmaster> {
  const binaries = findBinaries();
  await createDataDirectory(paths, binaries, log, signal);
  const server = await startServer(paths, binaries, signal);
  log.info('started the embedded database', { folder: paths.root });
  return server;
}

/** @returns `undefined` if no server runs, it is stopping, or it cannot be reached. */
async function adopt(
  paths: EmbeddedPaths,
  databaseName: string,
  log: Logger,
  signal: AbortSignal,
): Promise<Postmaster | undefined> {
  const server = findServer(paths);
  if (server === undefined || !(await waitUntilReady(paths, server.pid, signal))) return undefined;
  if (!existsSync(join(server.socket, `.s.PGSQL.${port}`))) {
    log.warn('the embedded database that is running has lost its socket: starting it again');
    await stopServer(server.pid);
    return undefined;
  }
  if (!(await answers(server, databaseName, log))) return undefined;
  log.info('took over the embedded database that was running', { pid: server.pid });
  return server;
}

/** A server that was killed a moment ago may still be in the process list. */
async function answers(server: Postmaster, databaseName: string, log: Logger): Promise<boolean> {
  try {
    await createDatabaseIfMissing(configOf(server, databaseName), log);
    return true;
  } catch (error) {
    if (await waitUntilGone(server.pid, dyingMs)) return false;
    throw error;
  }
}

async function stopUnlessKept(paths: EmbeddedPaths): Promise<void> {
  const server = findServer(paths);
  if (server !== undefined && !isKept(paths, server)) await stopServer(server.pid);
}

/** `keep` applies to one server process: not after a restart of the machine. */
function isKept(paths: EmbeddedPaths, server: Postmaster): boolean {
  return existsSync(paths.keep) && readFileSync(paths.keep, 'utf8') === server.identity;
}

function configOf(server: Postmaster, name: string): DatabaseConfig {
  return {
    host: server.socket,
    port,
    user: 'postgres',
    password: '',
    name,
    sslMode: 'disable',
    sslRootCert: null,
    source: 'embedded',
  };
}
