/**
 * Loads uWebSockets.js: the current build if its binary loads, otherwise the build of 2023, which
 * runs with an older C library and Node 20 (docs/dependencies.md).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';

export type Uws = typeof import('uWebSockets.js');

export interface NativeServer {
  readonly uws: Uws;
  /** Shown to operators: `uWebSockets.js 20.57.0`. */
  readonly name: string;
}

/** In order of preference. */
const builds = [
  { build: 'current', name: 'uWebSockets.js' },
  { build: '2023', name: 'uWebSockets.js-2023' },
] as const;
export type BuildChoice = 'auto' | (typeof builds)[number]['build'];

const requireHere = createRequire(import.meta.url);

/**
 * @param wanted loads only this build.
 * @param load returns the exports of a package. @param versionOf returns its version.
 * @throws when no binary loads. The build of 2023 would fall back to JavaScript, which is ten times
 * slower.
 */
export function loadNativeServer(
  wanted: BuildChoice,
  load: (name: string) => unknown = requireHere,
  versionOf: (name: string) => string = installedVersion,
): NativeServer {
  const reasons: string[] = [];
  for (const { build, name } of builds) {
    if (wanted !== 'auto' && wanted !== build) continue;
    try {
      const uws = load(name) as Uws;
      if (isNative(uws.App)) return { uws, name: `uWebSockets.js ${versionOf(name)}` };
      reasons.push(`${name} has no binary`);
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(
    `uWebSockets.js does not load on Node ${process.version} (ABI ${process.versions.modules}), ` +
      `${process.platform}-${process.arch}: start the service with bin/node, which finds a Node that fits ` +
      `(${reasons.join('; ')})`,
  );
}

function isNative(construct: unknown): boolean {
  return (
    typeof construct === 'function' &&
    Function.prototype.toString.call(construct).includes('[native code]')
  );
}

/** Reads the package's folder: the current build does not export its manifest. */
function installedVersion(name: string): string {
  try {
    const entry = requireHere.resolve(name);
    const folder = entry.slice(0, entry.lastIndexOf(`${sep}${name}${sep}`) + name.length + 1);
    const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    return version.split('-')[0]!;
  } catch {
    return 'of an unknown version';
  }
}

/** Extracts the system's reason: it follows the package's message and precedes the search paths. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error.message.split('\n');
  const isAbsent = 'code' in error && error.code === 'MODULE_NOT_FOUND';
  return (isAbsent ? 'is not installed' : lines.at(-1)!).trim();
}
