/** Reads the files of the project for the house rules. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../../..');

export interface Import {
  readonly line: number;
  /** A file from the project's root when `isLocal`, otherwise a package or built-in module. */
  readonly target: string;
  readonly isLocal: boolean;
  readonly isTypeOnly: boolean;
}

export interface Source {
  readonly file: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
}

/** All files in git, or untracked and not ignored, relative to the root, with `/`. */
export function listFiles(): string[] {
  return (listByGit() ?? listByWalking()).filter(isFile).toSorted();
}

export function readSource(file: string): Source {
  const text = readFileSync(join(root, file), 'utf8');
  return {
    file,
    lines: text.split('\n'),
    imports: file.endsWith('.ts') ? findImports(file, text) : [],
  };
}

/** `undefined` without git, outside a repository, and in a repository of another user. */
function listByGit(): string[] | undefined {
  try {
    const output = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output.split('\0').filter((file) => file !== '');
  } catch {
    return undefined;
  }
}

function listByWalking(folder = ''): string[] {
  const ignored = new Set(readSource('.gitignore').lines.map((line) => line.replace(/\/$/, '')));
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.name === '.git' || ignored.has(entry.name) || entry.name.endsWith('.log')) return [];
    return entry.isDirectory() ? listByWalking(path) : [path];
  });
}

/** A tracked file may be deleted. */
function isFile(file: string): boolean {
  return statSync(join(root, file), { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * `import … from`, `export … from`, `import '…'`, `import('…')` and the file of a worker,
 * `new URL('….js', import.meta.url)`.
 */
const importing =
  /^(?:import|export)\b(?<names>[^;'"]*)\bfrom\s*'(?<stated>[^']+)'|^import\s*'(?<effect>[^']+)'|^[^*\n]*\bimport\('(?<dynamic>[^']+)'\)|new URL\(\s*'(?<url>\.[^']+\.js)',\s*import\.meta\.url/gm;

function findImports(file: string, text: string): Import[] {
  return [...text.matchAll(importing)].map((match) => {
    const { names = '', stated, effect, dynamic, url } = match.groups ?? {};
    const target = stated ?? effect ?? dynamic ?? url ?? '';
    const isLocal = target.startsWith('.');
    return {
      line: text.slice(0, match.index).split('\n').length,
      target: isLocal ? localTarget(file, target) : target,
      isLocal,
      isTypeOnly: /^\s*type\b/.test(names),
    };
  });
}

/** A worker is started by the name of its built file. */
function localTarget(file: string, target: string): string {
  return posix.join(posix.dirname(file), target).replace(/\.js$/, '.ts');
}
