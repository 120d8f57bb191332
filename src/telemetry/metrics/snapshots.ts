/** Combines the numbers of several processes into families with values. */
import type { Family, Series } from './layout.ts';
import type { MetricSample, Snapshot } from './render.ts';

export interface ProcessNumbers {
  /** The label `process`. */
  readonly name: string;
  readonly families: readonly Family[];
  readonly numbers: Float64Array;
  /** Its gauges are current. Its counters are valid in any case. */
  readonly isLive: boolean;
}

/** Families of the same name become one. NaN is omitted. */
export function takeSnapshots(processes: readonly ProcessNumbers[]): Snapshot[] {
  const byName = new Map<string, Snapshot & { samples: MetricSample[] }>();
  /** The sums of families that are not per process. */
  const sums = new Map<Family, Float64Array>();

  for (const process of processes) {
    for (const family of process.families) {
      const { name, help, type } = family;
      if (!byName.has(name)) byName.set(name, { name, help, type, samples: [] });
      if (type === 'gauge' && !process.isLive) continue;
      if (family.perProcess) {
        const { samples } = byName.get(name)!;
        for (const series of family.series) {
          const labels = { process: process.name, ...series.labels };
          samples.push(...samplesOf(family, { ...series, labels }, process.numbers));
        }
      } else {
        addUp(sums, family, process.numbers);
      }
    }
  }
  for (const [family, numbers] of sums) {
    const { samples } = byName.get(family.name)!;
    for (const series of family.series) samples.push(...samplesOf(family, series, numbers));
  }
  return [...byName.values()].filter(({ samples }) => samples.length > 0);
}

function addUp(sums: Map<Family, Float64Array>, family: Family, numbers: Float64Array): void {
  const sum = sums.get(family) ?? new Float64Array(numbers.length);
  sums.set(family, sum);
  for (const { slot } of family.series) {
    for (let place = slot; place < slot + widthOf(family); place++) sum[place]! += numbers[place]!;
  }
}

function widthOf({ type, bounds }: Family): number {
  return type === 'histogram' ? bounds.length + 2 : 1;
}

function samplesOf(
  family: Family,
  { labels, slot }: Series,
  numbers: Float64Array,
): MetricSample[] {
  const { name, bounds, sparse } = family;
  if (family.type !== 'histogram') {
    const value = numbers[slot]!;
    return Number.isNaN(value) || (sparse && value === 0) ? [] : [{ labels, value }];
  }
  const samples: MetricSample[] = [];
  let count = 0;
  for (let place = 0; place <= bounds.length; place++) {
    count += numbers[slot + place]!;
    const le = place === bounds.length ? '+Inf' : String(bounds[place]);
    samples.push({ name: `${name}_bucket`, labels: { ...labels, le }, value: count });
  }
  if (sparse && count === 0) return [];
  const sum = numbers[slot + bounds.length + 1]!;
  samples.push({ name: `${name}_sum`, labels, value: sum });
  samples.push({ name: `${name}_count`, labels, value: count });
  return samples;
}
