/** The supported flags of `go test`, in Go's syntax. */
import { type Pattern, parsePattern } from './pattern.ts';

/** The minimum duration of a measurement, or its number of operations. */
export type Benchtime =
  | { readonly unit: 'nanoseconds'; readonly value: number }
  | { readonly unit: 'operations'; readonly value: number };

export interface Flags {
  readonly bench: Pattern;
  readonly count: number;
  readonly benchtime: Benchtime;
  /** The seed of the order; `null`: the order of the list. */
  readonly shuffle: number | null;
  /** Runs only this round, without header and footer, for a child process; `null`: all rounds. */
  readonly round: number | null;
  /** The files of the profiles; empty: none. */
  readonly cpuprofile: string;
  readonly memprofile: string;
  /** The folder of the database. */
  readonly data: string;
}

export type FlagsResult =
  | { readonly ok: true; readonly flags: Flags }
  | { readonly ok: false; readonly message: string };

type Draft = { -readonly [Name in keyof Flags]: Flags[Name] };
/** Reads a value into the draft, or returns what was expected. */
type Reader = (draft: Draft, value: string) => string | undefined;

const readers: Readonly<Record<string, Reader>> = {
  bench(draft, value) {
    const pattern = parsePattern(value);
    if (pattern === undefined) return 'a regular expression for each part of a name';
    draft.bench = pattern;
    return undefined;
  },
  count(draft, value) {
    if (!/^[1-9]\d{0,5}$/.test(value)) return 'a whole number from 1 to 999999';
    draft.count = Number(value);
    return undefined;
  },
  benchtime(draft, value) {
    const benchtime = parseBenchtime(value);
    if (benchtime === undefined) return 'a duration as in 1s or 1m30s, or a number as in 100x';
    draft.benchtime = benchtime;
    return undefined;
  },
  shuffle(draft, value) {
    if (value === 'off') draft.shuffle = null;
    else if (value === 'on') draft.shuffle = Math.floor(Date.now() / 1000);
    else if (/^\d{1,15}$/.test(value)) draft.shuffle = Number(value);
    else return 'on, off or a whole number';
    return undefined;
  },
  round(draft, value) {
    if (!/^[1-9]\d{0,5}$/.test(value)) return 'a whole number from 1 to 999999';
    draft.round = Number(value);
    return undefined;
  },
  // Accepted, because B/op is always printed.
  benchmem: (_draft, value) => (/^(true|false|1|0)$/.test(value) ? undefined : 'true or false'),
  cpuprofile: readText('cpuprofile'),
  memprofile: readText('memprofile'),
  data: readText('data'),
};

const withoutValue = new Set(['benchmem']);

/** @param args `-name=value`, `-name value` or with two dashes; `-test.name` is the same flag. */
export function parseFlags(args: readonly string[]): FlagsResult {
  const draft: Draft = {
    bench: parsePattern('.')!,
    count: 1,
    benchtime: { unit: 'nanoseconds', value: 1e9 },
    shuffle: 1,
    round: null,
    cpuprofile: '',
    memprofile: '',
    data: '.data/micro',
  };
  for (let place = 0; place < args.length; place++) {
    const match = /^--?(?:test\.)?([a-z]+)(?:=(.*))?$/s.exec(args[place]!);
    const name = match?.[1] ?? '';
    const read = Object.hasOwn(readers, name) ? readers[name]! : undefined;
    if (read === undefined) return refuse(`${args[place]} is no flag; there are ${known}`);
    const value = match?.[2] ?? (withoutValue.has(name) ? 'true' : args[++place]);
    if (value === undefined) return refuse(`-${name} needs a value`);
    const expected = read(draft, value);
    if (expected !== undefined) return refuse(`-${name}=${value}: expected ${expected}`);
  }
  return { ok: true, flags: draft };
}

const known = Object.keys(readers)
  .map((name) => `-${name}`)
  .join(', ');

function refuse(message: string): FlagsResult {
  return { ok: false, message };
}

function readText(name: 'cpuprofile' | 'memprofile' | 'data'): Reader {
  return (draft, value) => {
    if (value === '') return 'a path';
    draft[name] = value;
    return undefined;
  };
}

const nanosecondsIn: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

function parseBenchtime(text: string): Benchtime | undefined {
  if (/^[1-9]\d{0,8}x$/.test(text)) return { unit: 'operations', value: Number.parseInt(text, 10) };
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let value = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    value += Number(number) * nanosecondsIn[unit!]!;
  }
  return value > 0 ? { unit: 'nanoseconds', value } : undefined;
}
