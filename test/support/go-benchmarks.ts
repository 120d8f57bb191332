/**
 * Reads Go's benchmark text: `key: value` lines, and result lines that begin with `Benchmark`.
 * Any other line is a remark. https://go.dev/design/14313-benchmark-format
 */

export interface Result {
  /** Without `Benchmark`, with the `-2` of the processors. */
  readonly name: string;
  readonly operations: number;
  /** What was measured, by its unit. */
  readonly values: ReadonlyMap<string, number>;
  /** The keys that held when the line came. */
  readonly keys: ReadonlyMap<string, string>;
}

export interface Parsed {
  readonly results: readonly Result[];
  /** Lines that begin like a result and are none, with their numbers. */
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
    // Without a value it no longer holds.
    if (value === undefined || value === '') next.delete(key);
    else next.set(key, value);
    keys = next;
  }
  return { results, faults };
}

/** @returns what is wrong as a text; `undefined` for a name alone, which `-v` prints. */
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
