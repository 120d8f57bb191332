/**
 * A real PostgreSQL in a folder, for machines without one: durable, on a unix socket only. It is
 * no child that dies with us: it outlives Ctrl-C until requests have drained, and one that
 * survived a crash of the service is taken over.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../config.ts';
import type { Logger } from '../telemetry/log.ts';
import { type Binaries, findBinaries } from './embedded-binaries.ts';
import { ordinaryUserPrefix } from './ordinary-user.ts';
import { takeOwnership } from './owner.ts';
import { commandLineOf, isAlive, waitUntilGone } from './processes.ts';

export interface EmbeddedDatabase {
  readonly config: DatabaseConfig;
  /** It was running already. */
  readonly adopted: boolean;
  /** Stops the server, unless it was started to be kept, and lets go of the folder. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Absolute or relative to the working directory; made where it is missing. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Leave the server running until `stopEmbedded`. */
  readonly keep?: boolean;
}

const port = 5432;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
const startAttemptsMax = 10;
const startRetryMs = 300;
/** The limit of a unix socket's path, less its end `/.s.PGSQL.5432` (Linux 107, macOS 103). */
const socketDirMaxBytes = 103 - '/.s.PGSQL.5432'.length;

const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '128MB',
  // Compiling a plan costs more than any statement of ours takes.
  jit: 'off',
  // No replica reads this server's log of changes.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
};

/** Rejects with a message that says what to do when it cannot run here or the folder is taken. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { log } = options;
  const paths = pathsOf(options.dataDir);
  mkdirSync(paths.root, { recursive: true });
  const owner = await takeOwnership(paths.owner);
  try {
    const binaries = findBinaries();
    if (options.keep === true) writeFileSync(paths.keep, '');
    const running = runningServer(paths.cluster);
    if (running === undefined) {
      await createCluster(paths, binaries, log);
      await startServerPatiently(paths, binaries);
      log.info('started the embedded database', { folder: paths.root });
    } else {
      log.info('took over the embedded database that was running', { pid: running });
      await waitUntilReady(paths, () => isAlive(running));
    }
    return {
      config: configOf(paths),
      adopted: running !== undefined,
      async stop(): Promise<void> {
        if (!existsSync(paths.keep)) await stopServer(paths.cluster);
        owner.release();
      },
    };
  } catch (error) {
    owner.release();
    throw error;
  }
}

/** Stops a server that was started to be kept. @returns false when none was running. */
export async function stopEmbedded(dataDir: string): Promise<boolean> {
  const paths = pathsOf(dataDir);
  if (!existsSync(paths.root)) return false;
  const owner = await takeOwnership(paths.owner);
  try {
    rmSync(paths.keep, { force: true });
    return await stopServer(paths.cluster);
  } finally {
    owner.release();
  }
}

interface Paths {
  readonly root: string;
  readonly cluster: string;
  readonly socket: string;
  readonly log: string;
  readonly owner: string;
  readonly keep: string;
}

function pathsOf(dataDir: string): Paths {
  const root = resolve(dataDir);
  const beside = join(root, 'socket');
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return {
    root,
    cluster: join(root, 'postgres'),
    socket:
      Buffer.byteLength(beside) <= socketDirMaxBytes
        ? beside
        : join(tmpdir(), `tasks-${process.getuid?.() ?? 0}-${hash}`),
    log: join(root, 'postgres.log'),
    owner: join(root, 'owner'),
    keep: join(root, 'keep-running'),
  };
}

function configOf(paths: Paths): DatabaseConfig {
  return {
    host: paths.socket,
    port,
    user: 'postgres',
    password: '',
    name: 'tasks',
    sslMode: 'disable',
    sslRootCert: null,
  };
}

/** Made beside its place and moved there whole: a crash half way leaves nothing half made. */
async function createCluster(paths: Paths, binaries: Binaries, log: Logger): Promise<void> {
  if (existsSync(join(paths.cluster, 'PG_VERSION'))) {
    const version = readFileSync(join(paths.cluster, 'PG_VERSION'), 'utf8').trim();
    if (version === binaries.majorVersion) return;
    throw new Error(
      `${paths.cluster} was made by PostgreSQL ${version}, the embedded one is ` +
        `${binaries.majorVersion}: move the data over with pg_dump and pg_restore`,
    );
  }
  log.info('making a new embedded database', { folder: paths.root });
  const draft = `${paths.cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  await runToEnd(binaries.initdb, [
    `--pgdata=${draft}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  rmSync(paths.cluster, { recursive: true, force: true });
  renameSync(draft, paths.cluster);
}

/** The backends of a server that was killed keep its memory until they notice: up to a second. */
async function startServerPatiently(paths: Paths, binaries: Binaries): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startServer(paths, binaries);
    } catch (error) {
      if (attempt === startAttemptsMax || !`${error}`.includes('shared memory')) throw error;
      await sleep(startRetryMs);
    }
  }
}

async function startServer(paths: Paths, binaries: Binaries): Promise<void> {
  // What a killed server left behind: both name a pid that may not be gone from the system's list,
  // or be another process's by now, and would keep the server from starting.
  rmSync(join(paths.cluster, 'postmaster.pid'), { force: true });
  rmSync(join(paths.socket, `.s.PGSQL.${port}.lock`), { force: true });
  mkdirSync(paths.socket, { recursive: true, mode: 0o700 });
  const output = openSync(paths.log, 'w', 0o600);
  const [command, ...prefix] = [...ordinaryUserPrefix(), binaries.postgres];
  const server = spawn(
    command!,
    [
      ...prefix,
      ...['-D', paths.cluster, '-p', String(port), '-k', paths.socket],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    // Its own session: Ctrl-C in the terminal must not reach it before requests have drained.
    { detached: true, stdio: ['ignore', output, output] },
  );
  closeSync(output);
  let failed = false;
  server.once('error', () => {
    failed = true;
  });
  server.once('exit', () => {
    failed = true;
  });
  server.unref();
  await waitUntilReady(paths, () => !failed);
}

/** The server writes its state into the last line of its pid file. */
async function waitUntilReady(paths: Paths, lives: () => boolean): Promise<void> {
  const giveUp = performance.now() + startTimeoutMs;
  while (pidFile(paths.cluster)[7]?.trim() !== 'ready') {
    if (!lives()) {
      throw new Error(`the embedded database did not start:\n${readFileSync(paths.log, 'utf8')}`);
    }
    if (performance.now() > giveUp) {
      throw new Error(`the embedded database was not ready after ${startTimeoutMs / 1000} s`);
    }
    await sleep(10);
  }
}

async function stopServer(cluster: string): Promise<boolean> {
  const pid = runningServer(cluster);
  if (pid === undefined) return false;
  // SIGINT: fast shutdown, SIGQUIT: immediate (PostgreSQL manual, "Shutting Down the Server").
  process.kill(pid, 'SIGINT');
  if (await waitUntilGone(pid, stopTimeoutMs)) return true;
  process.kill(pid, 'SIGQUIT');
  await waitUntilGone(pid, stopTimeoutMs);
  return true;
}

/** The pid of the server of this very folder: a pid file may be older than the machine's start. */
function runningServer(cluster: string): number | undefined {
  const pid = Number(pidFile(cluster)[0]);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  return commandLineOf(pid).includes(`-D ${cluster} `) ? pid : undefined;
}

function pidFile(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}

function runToEnd(program: string, args: readonly string[]): Promise<void> {
  const [command, ...prefix] = [...ordinaryUserPrefix(), program];
  return new Promise((done, reject) => {
    const child = spawn(command!, [...prefix, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) done();
      else reject(new Error(`the embedded database could not be made:\n${errors}`));
    });
  });
}
