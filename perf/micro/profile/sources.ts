/** From a place in dist/ to one in TypeScript, by the `.js.map` beside the file. */
import { readFileSync } from 'node:fs';
import type { Runtime } from 'node:inspector';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rootDir } from '../../support/paths.ts';

export interface SourceFunction {
  readonly name: string;
  /** From the project's folder, with `/`; empty for what is in no file. */
  readonly file: string;
  /** From 1; 0: not known. */
  readonly line: number;
}

export interface Sources {
  functionOf(frame: Runtime.CallFrame): SourceFunction;
  /** @param line of the built file, from 1; 0 stands for the function's first. */
  lineOf(frame: Runtime.CallFrame, line: number): number;
}

interface Script {
  readonly file: string;
  readonly map: SourceMap | undefined;
}

/** Behind the last column: the last place that the map has for a line. */
const endOfLine = 1e6;

export function createSources(): Sources {
  const scripts = new Map<string, Script>();

  function scriptOf(url: string): Script {
    const script = scripts.get(url) ?? readScript(url);
    scripts.set(url, script);
    return script;
  }

  function originalLine(url: string, line: number, column: number): number {
    const entry = scriptOf(url).map?.findEntry(line, column);
    return entry !== undefined && 'originalLine' in entry ? entry.originalLine + 1 : line + 1;
  }

  function functionOf({ functionName, url, lineNumber, columnNumber }: Runtime.CallFrame) {
    if (url === '') return { name: functionName || '(anonymous)', file: '', line: 0 };
    const line = originalLine(url, lineNumber, columnNumber);
    return { name: functionName || `(anonymous:${line})`, file: scriptOf(url).file, line };
  }

  function lineOf(frame: Runtime.CallFrame, line: number): number {
    if (line === 0 || frame.url === '') return functionOf(frame).line;
    return originalLine(frame.url, line - 1, endOfLine);
  }

  return { functionOf, lineOf };
}

function readScript(url: string): Script {
  if (!url.startsWith('file:') && !url.startsWith(sep)) return { file: url, map: undefined };
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const packaged = path.lastIndexOf(`${sep}node_modules${sep}`);
  if (packaged !== -1) return { file: withSlashes(path.slice(packaged + 1)), map: undefined };
  try {
    const payload = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as SourceMap['payload'];
    const source = resolve(dirname(path), payload.sourceRoot ?? '', payload.sources[0]!);
    return { file: withSlashes(relative(rootDir, source)), map: new SourceMap(payload) };
  } catch {
    return { file: withSlashes(relative(rootDir, path)), map: undefined };
  }
}

function withSlashes(path: string): string {
  return path.split(sep).join('/');
}
