/**
 * The PostgreSQL servers for tests: the embedded one, those of Debian's packages, and those in
 * PG_BIN, a colon-separated list of folders with initdb and postgres.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findBinaries } from '../../src/embedded/binaries.ts';

export interface ServerBinaries {
  /** For example `15.18`. */
  readonly version: string;
  readonly major: number;
  readonly bin: string;
  /** The embedded one, or one named by PG_BIN. */
  readonly isAsked: boolean;
}

const debian = '/usr/lib/postgresql';
/** The oldest supported major version. */
const majorMin = 15;

/** One for each major version. */
export function serverBinaries(): readonly ServerBinaries[] {
  const embedded = dirname(findBinaries().postgres);
  const list = (process.env['PG_BIN'] ?? '').split(':').filter((folder) => folder !== '');
  const hasList = list.length > 0;
  const folders = [
    embedded,
    ...list,
    ...(existsSync(debian) ? readdirSync(debian).map((name) => join(debian, name, 'bin')) : []),
  ];
  const found = new Map<number, ServerBinaries>();
  for (const bin of folders) {
    const version = versionOf(bin);
    const major = Number.parseInt(version ?? '', 10);
    if (version !== undefined && major >= majorMin && !found.has(major)) {
      found.set(major, { version, major, bin, isAsked: bin === embedded || hasList });
    }
  }
  return [...found.values()].sort((one, other) => one.major - other.major);
}

function versionOf(bin: string): string | undefined {
  if (!existsSync(join(bin, 'initdb'))) return undefined;
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return /\(PostgreSQL\) (\d+(?:\.\d+)?)/.exec(stdout ?? '')?.[1];
}
