/** Maps a test to its TypeScript source: Node 20's runner reports the built file. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';

export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Location {
  readonly file: string;
  /** `file:line` */
  readonly text: string;
}

export type Locator = (place: Place) => Location;

export function createLocator(root: string): Locator {
  const maps = new Map<string, SourceMap | null>();

  function mapOf(file: string): SourceMap | null {
    let map = maps.get(file);
    if (map === undefined) {
      map = readMap(file);
      maps.set(file, map);
    }
    return map;
  }

  return function locate(place) {
    if (place.file === undefined) return { file: '', text: '' };
    const entry = mapOf(place.file)?.findEntry((place.line ?? 1) - 1, (place.column ?? 1) - 1);
    const mapped = entry !== undefined && 'originalSource' in entry;
    const source = mapped ? resolve(dirname(place.file), entry.originalSource) : place.file;
    const line = mapped ? entry.originalLine + 1 : place.line;
    const file = relative(root, source);
    return { file, text: line === undefined ? file : `${file}:${line}` };
  };
}

function readMap(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    return null;
  }
}
