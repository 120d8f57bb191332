/** Compares two sets of results with benchstat's statistics. */
import { type Summary, summarize } from './median.ts';
import type { Result } from './parse.ts';
import { compareSamples } from './u-test.ts';

export interface Side {
  readonly summary: Summary;
  readonly samples: number;
}

export interface Row {
  readonly name: string;
  /** Undefined if only the other file has the benchmark. */
  readonly old?: Side;
  readonly new?: Side;
  /** If both files have it. `ratio` is new divided by old, significant if `isDifferent`. */
  readonly difference?: {
    readonly p: number;
    readonly isDifferent: boolean;
    readonly ratio: number;
  };
}

export interface Table {
  readonly unit: string;
  readonly rows: readonly Row[];
  /** Of the medians; `undefined` if one is not positive, or there are none. */
  readonly geomean: {
    readonly old: number | undefined;
    readonly new: number | undefined;
    /** Of new divided by old, over the benchmarks in both files. */
    readonly ratio: number | undefined;
  };
}

/** The significance level: a smaller p counts as a difference. */
export const alpha = 0.05;

/** One table for each unit, in order of appearance. */
export function compareResults(old: readonly Result[], next: readonly Result[]): Table[] {
  const all = [...old, ...next];
  const units = new Set(all.flatMap(({ values }) => [...values.keys()]));
  const names = [...new Set(all.map(({ name }) => name))];
  return [...units].map((unit) => {
    const rows = names
      .map((name) => compareOne(name, samplesOf(old, name, unit), samplesOf(next, name, unit)))
      .filter((row) => row.old !== undefined || row.new !== undefined);
    return {
      unit,
      rows,
      geomean: {
        old: geomeanOf(rows.flatMap((row) => row.old?.summary.median ?? [])),
        new: geomeanOf(rows.flatMap((row) => row.new?.summary.median ?? [])),
        ratio: geomeanOf(rows.flatMap(({ difference }) => difference?.ratio ?? [])),
      },
    };
  });
}

function compareOne(name: string, old: readonly number[], next: readonly number[]): Row {
  const sideOf = (values: readonly number[]): Side => ({
    summary: summarize(values),
    samples: values.length,
  });
  if (old.length === 0) return { name, ...(next.length === 0 ? {} : { new: sideOf(next) }) };
  if (next.length === 0) return { name, old: sideOf(old) };
  const sides = { old: sideOf(old), new: sideOf(next) };
  const { p } = compareSamples(old, next);
  const [before, after] = [sides.old.summary.median, sides.new.summary.median];
  // Zero and zero are equal; a ratio to zero is undefined.
  const ratio = before === after ? 1 : after / before;
  return { name, ...sides, difference: { p, isDifferent: p <= alpha, ratio } };
}

function samplesOf(results: readonly Result[], name: string, unit: string): number[] {
  return results
    .filter((result) => result.name === name)
    .flatMap(({ values }) => values.get(unit) ?? []);
}

export function geomeanOf(values: readonly number[]): number | undefined {
  if (values.length === 0 || values.some((value) => !(value > 0 && value < Infinity))) {
    return undefined;
  }
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
