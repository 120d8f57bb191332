/** A profile, independent of its format. */

export interface StackFrame {
  /** The name in the source; `[…]` for anything that is not a function. */
  readonly name: string;
  /** Relative to the project: `src/http/router.ts`, `node_modules/…`, `node:…`; `''`: none. */
  readonly file: string;
  /** One-based; 0: unknown. */
  readonly startLine: number;
  readonly line: number;
}

export interface Sample {
  /** The innermost frame first. */
  readonly stack: readonly StackFrame[];
  /** One value for each of the profile's types. */
  readonly values: readonly number[];
  readonly process: string;
  readonly thread: string;
}

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface Profile {
  /** Readers show the last one by default. */
  readonly types: readonly ValueType[];
  readonly samples: readonly Sample[];
  readonly period: (ValueType & { readonly value: number }) | null;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly comments: readonly string[];
}

/** Package and name in Go's style: `batching/pool.createPool`. */
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
