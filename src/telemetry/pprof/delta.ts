/** The difference of two profiles, as in net/http/pprof: a decrease is negative. */
import type { Sample } from './profile.ts';

/** @returns `after` minus `before`, without samples that did not change. */
export function subtractSamples(after: readonly Sample[], before: readonly Sample[]): Sample[] {
  const sums = new Map<string, { readonly sample: Sample; readonly values: number[] }>();

  function add(sample: Sample, sign: 1 | -1): void {
    const { stack, process, thread, values } = sample;
    const key = JSON.stringify([process, thread, stack]);
    const sum = sums.get(key) ?? { sample, values: values.map(() => 0) };
    sums.set(key, sum);
    for (const [place, value] of values.entries()) sum.values[place]! += sign * value;
  }

  for (const sample of after) add(sample, 1);
  for (const sample of before) add(sample, -1);
  return [...sums.values()]
    .filter(({ values }) => values.some((value) => value !== 0))
    .map(({ sample, values }) => ({ ...sample, values }));
}
