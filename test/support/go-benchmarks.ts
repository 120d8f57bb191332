/**
 * Parses Go's benchmark format: `key: value` lines, and result lines that start with `Benchmark`.
 * Other lines are ignored. https://go.dev/design/14313-benchmark-format
 */

export interface Result {
  /** Without `Benchmark`, with the suffix of the processors: `-2`. */
  readonly name: string;
  readonly operations: number;
  /** The measured values by unit. */
  readonly values: ReadonlyMap<string, number>;
  /** The keys in effect at that line. */
  readonly keys: ReadonlyMap<string, string>;
}

export interface Parsed {
  readonly results: readonly Result[];
  /** Invalid result lines with their line numbers. */
  readonly faults: readonly string[];
}

export function parseResults(text: string): Parsed {
  const results: Result[] = [];
  const faults: string[] = [];
  let keys: ReadonlyMap<string, string> = new Map();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith('Benchmark')) {
      const read = parseResult(line, keys);
      if (typeof read === 'string') faults.push(`line ${index + 1}: ${read}`);
      else if (read !== undefined) results.push(read);
      continue;
    }
    const [, key, value] = /^(\p{Ll}[^\s\p{Lu}:]*):(?:[ \t]+(.*))?$/u.exec(line) ?? [];
    if (key === undefined) continue;
    const next = new Map(keys);
    // A key without a value is unset.
    if (value === undefined || value === '') next.delete(key);
    else next.set(key, value);
    keys = next;
  }
  return { results, faults };
}

/** @returns an error text; `undefined` for a name alone, which `-v` prints. */
function parseResult(line: string, keys: ReadonlyMap<string, string>): Result | string | undefined {
  const [first, count, ...pairs] = line.trimEnd().split(/\s+/);
  const name = first!.slice('Benchmark'.length);
  if (count === undefined) return undefined;
  if (!/^\+?\d+$/.test(count)) return `${count} is no number of operations`;
  if (pairs.length === 0) return 'nothing was measured';
  if (pairs.length % 2 === 1) return `${pairs.at(-1)} has no unit`;
  const values = new Map<string, number>();
  for (let place = 0; place < pairs.length; place += 2) {
    const value = Number(pairs[place]);
    if (Number.isNaN(value)) return `${pairs[place]} is no number`;
    values.set(pairs[place + 1]!, value);
  }
  return { name, operations: Number(count), values, keys };
}
