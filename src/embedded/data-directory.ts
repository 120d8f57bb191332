/** Creates the data directory of the embedded database, completely or not at all. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../telemetry/log.ts';
import type { Binaries } from './binaries.ts';
import { ordinaryUserPrefix } from './ordinary-user.ts';
import type { EmbeddedPaths } from './paths.ts';

const draftPrefix = 'postgres.new-';
const interruptMs = 1000;

/**
 * Creates the cluster if it does not exist: under a temporary name beside its place, then renames
 * it. Neither a crash nor an orphaned initdb can damage it.
 * @param signal aborts it; then it rejects with the signal's reason.
 * @throws an Error that says what to do if the existing one has another major version.
 */
export async function createDataDirectory(
  paths: EmbeddedPaths,
  binaries: Binaries,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (hasCluster(paths, binaries)) return;
  log.info('making a new embedded database', { folder: paths.root });
  for (const name of readdirSync(paths.root)) {
    if (name.startsWith(draftPrefix)) {
      rmSync(join(paths.root, name), { recursive: true, force: true });
    }
  }
  const draft = mkdtempSync(join(paths.root, draftPrefix));
  await runInitdb(binaries, draft, signal);
  moveIntoPlace(draft, paths);
}

function hasCluster(paths: EmbeddedPaths, binaries: Binaries): boolean {
  const file = join(paths.cluster, 'PG_VERSION');
  if (!existsSync(file)) return false;
  const version = readFileSync(file, 'utf8').trim();
  if (version === binaries.majorVersion) return true;
  throw new Error(
    `${paths.cluster} was made by PostgreSQL ${version}, the embedded one is ` +
      `${binaries.majorVersion}: move the data over with pg_dump and pg_restore, or set DB_HOST ` +
      `to a PostgreSQL ${version} that runs on it, or DATA_DIR to another folder`,
  );
}

async function runInitdb(binaries: Binaries, folder: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const [command, ...args] = [
    ...ordinaryUserPrefix(),
    binaries.initdb,
    `--pgdata=${folder}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    // Collation by code point, without the system's locales: the same on every machine.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  signal.addEventListener('abort', interrupt);
  const code = await new Promise<number | null>((done, reject) => {
    child.once('error', reject);
    child.once('close', done);
  }).finally(() => signal.removeEventListener('abort', interrupt));
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`the embedded database could not be made:\n${errors}`);

  /** On SIGINT, initdb removes what it has created. */
  function interrupt(): void {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), interruptMs).unref();
  }
}

function moveIntoPlace(draft: string, paths: EmbeddedPaths): void {
  try {
    renameSync(draft, paths.cluster);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    throw new Error(`${paths.cluster} is not empty, and no database: move it away`);
  }
  // Acknowledged tasks are durable, so the directory entry must be too.
  const folder = openSync(paths.root, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
