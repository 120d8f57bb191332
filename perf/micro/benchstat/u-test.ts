/**
 * The Mann-Whitney U test: the probability that two samples from one population differ at least
 * this much. It assumes nothing about the distribution.
 */

export interface Comparison {
  /** Pairs in which the first sample's value is greater, plus half of the equal pairs. */
  readonly u: number;
  /** Two-sided. 1 if all values are equal. */
  readonly p: number;
}

/** Above these sizes the normal approximation is used: without and with ties. */
const exactMax = 50;
const exactTiesMax = 25;

/** @param first and @param second have at least one value each. */
export function compareSamples(first: readonly number[], second: readonly number[]): Comparison {
  const groups = groupEqual(first, second);
  const hasTies = groups.some(({ size }) => size > 1);
  const doubledU = groups.reduce(
    (sum, { doubledRank, ofFirst }) => sum + doubledRank * ofFirst,
    -first.length * (first.length + 1),
  );
  const u = doubledU / 2;
  if (groups.length === 1) return { u, p: 1 };
  const limit = hasTies ? exactTiesMax : exactMax;
  const isExact = first.length <= limit && second.length <= limit;
  const p = isExact
    ? exactP(groups, first.length, second.length, doubledU)
    : approximateP(groups, first.length, second.length, u);
  return { u, p };
}

interface Group {
  readonly size: number;
  /** How many of its values belong to the first sample. */
  readonly ofFirst: number;
  /** Twice the mean of its ranks, which is an integer. */
  readonly doubledRank: number;
}

function groupEqual(first: readonly number[], second: readonly number[]): Group[] {
  const merged = [
    ...first.map((value) => ({ value, isFirst: true })),
    ...second.map((value) => ({ value, isFirst: false })),
  ].sort((a, b) => a.value - b.value);
  const groups: Group[] = [];
  for (let begin = 0; begin < merged.length; ) {
    let end = begin;
    let ofFirst = 0;
    for (; end < merged.length && merged[end]!.value === merged[begin]!.value; end++) {
      if (merged[end]!.isFirst) ofFirst++;
    }
    // Ranks start at 1.
    groups.push({ size: end - begin, ofFirst, doubledRank: begin + 1 + end });
    begin = end;
  }
  return groups;
}

/**
 * For every sum of ranks, counts the choices of the first sample from all values with that sum; all
 * choices are equally likely for one population. Returns twice the probability of the smaller U:
 * with ties the two sides may differ a little, and benchstat uses this one.
 */
function exactP(
  groups: readonly Group[],
  firstSize: number,
  secondSize: number,
  doubledU: number,
): number {
  const ways = countWays(groups, firstSize);
  const lowest = firstSize * (firstSize + 1);
  const extreme = Math.min(doubledU, 2 * firstSize * secondSize - doubledU);
  let all = 0;
  let beyond = 0;
  for (const [doubledSum, count] of ways.entries()) {
    all += count;
    if (doubledSum - lowest <= extreme) beyond += count;
  }
  return Math.min(1, (2 * beyond) / all);
}

/** @returns the number of choices by twice the sum of ranks. */
function countWays(groups: readonly Group[], chosen: number): Float64Array {
  const doubledSumMax = groups.reduce((sum, { size, doubledRank }) => sum + size * doubledRank, 0);
  let ways = Array.from({ length: chosen + 1 }, () => new Float64Array(doubledSumMax + 1));
  ways[0]![0] = 1;
  for (const { size, doubledRank } of groups) {
    const next = ways.map((row) => row.slice());
    for (let taken = 1, choices = size; taken <= Math.min(size, chosen); taken++) {
      const shift = taken * doubledRank;
      for (let before = 0; before + taken <= chosen; before++) {
        const from = ways[before]!;
        const to = next[before + taken]!;
        for (let sum = 0; sum + shift <= doubledSumMax; sum++) {
          if (from[sum]! > 0) to[sum + shift] = to[sum + shift]! + choices * from[sum]!;
        }
      }
      choices = (choices * (size - taken)) / (taken + 1);
    }
    ways = next;
  }
  return ways[chosen]!;
}

/** With corrections for ties and for continuity. */
function approximateP(
  groups: readonly Group[],
  firstSize: number,
  secondSize: number,
  u: number,
): number {
  const all = firstSize + secondSize;
  const ties = groups.reduce((sum, { size }) => sum + size ** 3 - size, 0);
  const variance = ((firstSize * secondSize) / 12) * (all + 1 - ties / (all * (all - 1)));
  const distance = Math.max(0, Math.abs(u - (firstSize * secondSize) / 2) - 0.5);
  return Math.min(1, 2 * normalBeyond(distance / Math.sqrt(variance)));
}

/** P(Z > z) for z >= 0, by Simpson's rule: the error is below 1e-10. */
function normalBeyond(z: number): number {
  const end = Math.max(z, 0) + 10;
  const steps = 2000;
  const width = (end - z) / steps;
  const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(z) + density(end);
  for (let step = 1; step < steps; step++) {
    sum += density(z + step * width) * (step % 2 === 1 ? 4 : 2);
  }
  return (sum * width) / 3;
}
