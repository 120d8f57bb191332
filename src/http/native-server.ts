/**
 * uWebSockets.js: the current build where its binary loads, otherwise the build of 2023, which needs an older
 * C library and Node 20. docs/dependencies.md says where each comes from.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';

export type Uws = typeof import('uWebSockets.js');

export interface NativeServer {
  readonly uws: Uws;
  /** As operators see it: `uWebSockets.js 20.57.0`. */
  readonly name: string;
}

/** Best first. */
const builds = [
  { build: 'current', name: 'uWebSockets.js' },
  { build: '2023', name: 'uWebSockets.js-2023' },
] as const;
export type BuildChoice = 'auto' | (typeof builds)[number]['build'];

const requireHere = createRequire(import.meta.url);

/**
 * @param wanted leaves the other builds out.
 * @param load gives what a package exports. @param versionOf the package's version.
 * @throws when there is no native server: the build of 2023 would go on with an imitation in JavaScript, an
 *   order of magnitude slower.
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

/** Read from the folder: the current build does not export its manifest. */
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

/** The system's reason stands behind the package's own text, and in front of where a package was looked for. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error.message.split('\n');
  const isAbsent = 'code' in error && error.code === 'MODULE_NOT_FOUND';
  return (isAbsent ? 'is not installed' : lines.at(-1)!).trim();
}
