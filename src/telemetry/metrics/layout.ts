/**
 * Where every number of a process stands in one array. The layout is made by the same code in each
 * process, so an array needs no names, and counting is one addition.
 */
export type FamilyType = 'counter' | 'gauge' | 'histogram';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram the first of its numbers: one for each bucket, one beyond, and the sum. */
  readonly slot: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly labelNames: readonly string[];
  /** Of a histogram: the upper bounds of its buckets, rising; otherwise empty. */
  readonly bounds: readonly number[];
  /** Each process has series of its own, told apart by `process`; otherwise they are added up. */
  readonly perProcess: boolean;
  /** A series appears with its first observation: most of them never have one. */
  readonly sparse: boolean;
  readonly series: readonly Series[];
}

export interface FamilyBuilder {
  /** Adds a series. @returns its slot. @param values of the labels, in the order of their names. */
  add(...values: readonly string[]): number;
}

export interface LayoutBuilder {
  family(family: Omit<Family, 'series' | keyof FamilyOptions> & FamilyOptions): FamilyBuilder;
  /** Numbers that are in no family. @returns the first one's slot. */
  reserve(count: number): number;
  families(): readonly Family[];
  /** Numbers so far. */
  size(): number;
}

export interface FamilyOptions {
  readonly bounds?: readonly number[];
  readonly perProcess?: boolean;
  readonly sparse?: boolean;
}

export function createLayoutBuilder(): LayoutBuilder {
  const families: Family[] = [];
  let size = 0;

  function reserve(count: number): number {
    size += count;
    return size - count;
  }

  return {
    family({ bounds = [], perProcess = false, sparse = false, ...rest }) {
      const series: Series[] = [];
      families.push({ ...rest, bounds, perProcess, sparse, series });
      return {
        add(...values) {
          const slot = reserve(rest.type === 'histogram' ? bounds.length + 2 : 1);
          const labels = rest.labelNames.map((name, place) => [name, values[place]!]);
          series.push({ labels: Object.fromEntries(labels), slot });
          return slot;
        },
      };
    },
    reserve,
    families: () => families,
    size: () => size,
  };
}

/** Adds an observation to a histogram at `slot`. */
export function observe(
  numbers: Float64Array,
  slot: number,
  bounds: readonly number[],
  value: number,
): void {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  numbers[slot + low]!++;
  numbers[slot + bounds.length + 1]! += value;
}
