/**
 * The slot of each metric of a process in one array. The same code builds the layout in each
 * process. So the array needs no names, and counting is one addition.
 */
export type FamilyType = 'counter' | 'gauge' | 'histogram';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** For a histogram, the first of its numbers: one per bucket, one for overflow, and the sum. */
  readonly slot: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly labelNames: readonly string[];
  /** The ascending upper bounds of a histogram's buckets; otherwise empty. */
  readonly bounds: readonly number[];
  /** Each process has its own series with the label `process`; otherwise the values are summed. */
  readonly perProcess: boolean;
  /** A series appears with its first observation: most series never have one. */
  readonly sparse: boolean;
  readonly series: readonly Series[];
}

export interface FamilyBuilder {
  /** Adds a series. @returns its slot. @param values of the labels, in the order of their names. */
  add(...values: readonly string[]): number;
}

export interface LayoutBuilder {
  family(family: Omit<Family, 'series' | keyof FamilyOptions> & FamilyOptions): FamilyBuilder;
  /** Reserves numbers outside any family. @returns the first slot. */
  reserve(count: number): number;
  families(): readonly Family[];
  /** The count of numbers so far. */
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

/** Adds an observation to the histogram at `slot`. */
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
