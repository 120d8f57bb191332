/**
 * A real PostgreSQL in a folder, for machines without one: durable, on a unix socket only. It is
 * no child that dies with us: it outlives Ctrl-C until requests have drained, and one that
 * survived a crash of the service is taken over.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseConfig } from '../config.ts';
import type { Logger } from '../telemetry/log.ts';
import { createDatabaseIfMissing } from './create-database.ts';
import { findBinaries } from './embedded-binaries.ts';
import { createCluster } from './embedded-cluster.ts';
import { type EmbeddedPaths, pathsOf } from './embedded-paths.ts';
import {
  findServer,
  port,
  type Server,
  startServer,
  stopServer,
  waitUntilReady,
} from './embedded-server.ts';
import { type Watch, watchServer } from './embedded-watch.ts';
import { takeOwnership } from './owner.ts';
import { waitUntilGone } from './processes.ts';

export interface EmbeddedDatabase {
  readonly config: DatabaseConfig;
  /** It was running already. */
  readonly adopted: boolean;
  /** Until then a server that dies is started again. Stops it, unless it is kept; lets go of the folder. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Absolute or relative to the working directory; made where it is missing. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Leave the server running, also after later starts without this, until `stopEmbedded`. */
  readonly keep?: boolean;
}

/** From a process's closed sockets to its end. */
const dyingMs = 2000;

/** Rejects with a message that says what to do when it cannot run here or the folder is taken. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { log } = options;
  const paths = pathsOf(options.dataDir);
  mkdirSync(paths.root, { recursive: true });
  const owner = await takeOwnership(paths.root);
  let stopping: Promise<void> | undefined;
  let watch: Watch | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopWatched().finally(owner.release);
    return stopping;
  };
  async function stopWatched(): Promise<void> {
    await watch?.end();
    await stopUnlessKept(paths);
  }
  try {
    const adopted = await adopt(paths, log);
    const server = adopted ?? (await start(paths, log));
    const config = configOf(server);
    if (adopted === undefined) await createDatabaseIfMissing(config, log);
    if (options.keep === true) writeFileSync(paths.keep, server.identity);
    watch = watchServer(server, { restart: () => start(paths, log), log });
    return { config, adopted: adopted !== undefined, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** Stops the server, also one that was to be kept. @returns false when none was running. */
export async function stopEmbedded(dataDir: string): Promise<boolean> {
  const paths = pathsOf(dataDir);
  if (!existsSync(paths.root)) return false;
  const owner = await takeOwnership(paths.root);
  try {
    rmSync(paths.keep, { force: true });
    const server = findServer(paths);
    if (server !== undefined) await stopServer(server.pid);
    return server !== undefined;
  } finally {
    owner.release();
  }
}

async function start(paths: EmbeddedPaths, log: Logger): Promise<Server> {
  const binaries = findBinaries();
  await createCluster(paths, binaries, log);
  const server = await startServer(paths, binaries);
  log.info('started the embedded database', { folder: paths.root });
  return server;
}

/** `undefined` when none is running, or it was about to stop, or it could not be reached. */
async function adopt(paths: EmbeddedPaths, log: Logger): Promise<Server | undefined> {
  const server = findServer(paths);
  if (server === undefined || !(await waitUntilReady(paths, server.pid))) return undefined;
  if (!existsSync(join(server.socket, `.s.PGSQL.${port}`))) {
    log.warn('the embedded database that is running has lost its socket: starting it again');
    await stopServer(server.pid);
    return undefined;
  }
  if (!(await answers(server, log))) return undefined;
  log.info('took over the embedded database that was running', { pid: server.pid });
  return server;
}

/** A server that was killed a moment ago may still be in the list of processes. */
async function answers(server: Server, log: Logger): Promise<boolean> {
  try {
    await createDatabaseIfMissing(configOf(server), log);
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

/** The wish holds for the server it was made for: not after a restart of the machine. */
function isKept(paths: EmbeddedPaths, server: Server): boolean {
  return existsSync(paths.keep) && readFileSync(paths.keep, 'utf8') === server.identity;
}

function configOf(server: Server): DatabaseConfig {
  return {
    host: server.socket,
    port,
    user: 'postgres',
    password: '',
    name: 'tasks',
    sslMode: 'disable',
    sslRootCert: null,
  };
}
