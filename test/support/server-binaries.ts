/**
 * Servers that the service is tried on: the embedded one, those that Debian's packages have put on this
 * machine, and those in PG_BIN, folders with initdb and postgres in them, with a colon between two.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findBinaries } from '../../src/embedded/binaries.ts';

export interface ServerBinaries {
  /** `15.18`. */
  readonly version: string;
  readonly major: number;
  readonly bin: string;
  /** It is the embedded one, or PG_BIN names some. */
  readonly isAsked: boolean;
}

const debian = '/usr/lib/postgresql';
/** Those that the service supports. */
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
