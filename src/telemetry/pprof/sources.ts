/** Maps a position in a built file to the source with the `.js.map` next to it. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StackFrame } from './profile.ts';
import type { RawFrame } from './recording.ts';

export interface Sources {
  /** @param line the zero-based line of the built file that was executed; -1: unknown. */
  resolve(frame: RawFrame, line: number): StackFrame;
}

/** The project's folder, relative to dist/src/telemetry/pprof. */
const projectRoot = resolve(import.meta.dirname, '../../../..');
/** A column beyond any line: finds the last mapping of a line. */
const endOfLine = 1_000_000;

/** New names for V8's parenthesised ones, because 0x omits those leaves, and one correction. */
const special: ReadonlyMap<string, string> = new Map([
  ['(root)', '[root]'],
  ['(program)', '[native]'],
  ['(garbage collector)', '[garbage collector]'],
  // uWebSockets.js exports this function under two names, and V8 reports the unused one.
  ['collect', 'cork'],
]);

interface Script {
  readonly file: string;
  readonly map: SourceMap | null;
}

/** Caches the maps: create one for each profile. */
export function createSources(root: string = projectRoot): Sources {
  const scripts = new Map<string, Script>();

  function resolveFrame(frame: RawFrame, line: number): StackFrame {
    if (frame.url === '') return nowhere(frame.name);
    const script = scriptOf(frame.url);
    const start = originalLine(script, frame.line, frame.column);
    return {
      name: frame.name === '' ? anonymous(frame, start) : frame.name,
      file: script.file,
      startLine: start,
      line: line < 0 ? start : originalLine(script, line, endOfLine),
    };
  }

  function scriptOf(url: string): Script {
    const known = scripts.get(url);
    if (known !== undefined) return known;
    const script = readScript(root, url);
    scripts.set(url, script);
    return script;
  }

  return { resolve: resolveFrame };
}

function nowhere(given: string): StackFrame {
  const name = special.get(given) ?? (given === '' ? '[anonymous]' : given);
  return { name, file: '', startLine: 0, line: 0 };
}

/** V8 has no name for a module's top-level code either. */
function anonymous({ line, column }: RawFrame, start: number): string {
  return line === 0 && column === 0 ? '[module]' : `[anonymous:${start}]`;
}

function originalLine({ map }: Script, line: number, column: number): number {
  if (line < 0) return 0;
  const entry = map?.findEntry(line, column);
  return entry !== undefined && 'originalLine' in entry ? entry.originalLine + 1 : line + 1;
}

function readScript(root: string, url: string): Script {
  if (url.startsWith('node:')) return { file: url, map: null };
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  try {
    const payload = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as SourceMap['payload'];
    const source = resolve(dirname(path), payload.sourceRoot ?? '', payload.sources[0]!);
    if (isInside(root, source) && !isPackaged(path)) {
      return { file: shorten(root, source), map: new SourceMap(payload) };
    }
  } catch {
    // Some files have no map, mostly those of packages.
  }
  return { file: shorten(root, path), map: null };
}

/** The sources of packages are rarely installed, so the built file is shown. */
function isPackaged(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`);
}

function isInside(root: string, path: string): boolean {
  return path.startsWith(join(root, sep));
}

/** No profile contains a path outside the project. */
function shorten(root: string, path: string): string {
  if (isInside(root, path)) return relative(root, path).split(sep).join('/');
  const packages = path.lastIndexOf(`${sep}node_modules${sep}`);
  return packages === -1
    ? path
    : path
        .slice(packages + 1)
        .split(sep)
        .join('/');
}
