/** A profile as all its formats see it. */

export interface StackFrame {
  /** As in the source; `[…]` for what is no function. */
  readonly name: string;
  /** From the project's folder: `src/http/router.ts`, `node_modules/…`, `node:…`; `''`: none. */
  readonly file: string;
  /** One-based; 0: not known. */
  readonly startLine: number;
  readonly line: number;
}

export interface Sample {
  /** The innermost first. */
  readonly stack: readonly StackFrame[];
  /** One for each of the profile's types. */
  readonly values: readonly number[];
  readonly process: string;
  readonly thread: string;
}

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface Profile {
  /** The last one is what a reader sees unless he asks for another. */
  readonly types: readonly ValueType[];
  readonly samples: readonly Sample[];
  readonly period: (ValueType & { readonly value: number }) | null;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly comments: readonly string[];
}

/** `pool` and its package or folder, as a Go programmer would write it: `batching/pool.createPool`. */
export function qualifiedName({ name, file }: StackFrame): string {
  if (file === '') return name;
  return `${moduleOf(file)}.${name}`;
}

function moduleOf(file: string): string {
  if (file.startsWith('node:')) return file;
  const stem = file.replace(/\.[cm]?[jt]s$/, '');
  const packaged = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?:.*\/)?([^/]+)$/.exec(stem);
  if (packaged !== null) return `${packaged[1]}/${packaged[2]}`;
  return stem.replace(/^src\//, '');
}
