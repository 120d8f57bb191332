/** Two sets of results side by side: what benchstat computes for them. */
import { type Summary, summarize } from './median.ts';
import type { Result } from './parse.ts';
import { compareSamples } from './u-test.ts';

export interface Side {
  readonly summary: Summary;
  readonly samples: number;
}

export interface Row {
  readonly name: string;
  /** Absent where only the other file has it. */
  readonly old?: Side;
  readonly new?: Side;
  /** Where both have it. `ratio` is new by old, and counts when `isDifferent`. */
  readonly difference?: {
    readonly p: number;
    readonly isDifferent: boolean;
    readonly ratio: number;
  };
}

export interface Table {
  readonly unit: string;
  readonly rows: readonly Row[];
  /** Of the medians; `undefined` where one of them is not above zero, or there are none. */
  readonly geomean: {
    readonly old: number | undefined;
    readonly new: number | undefined;
    /** Of new by old, over the benchmarks that both have. */
    readonly ratio: number | undefined;
  };
}

/** A difference that would come about by chance less often than this is called one. */
export const alpha = 0.05;

/** One table for each unit, in the order in which they appear. */
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
  // Nothing and nothing are the same; something out of nothing is no ratio.
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
