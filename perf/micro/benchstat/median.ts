/** The median of a sample and between which of its values that of the population lies. */

export interface Summary {
  readonly median: number;
  /** Minus and plus infinity where the sample is too small to say. */
  readonly low: number;
  readonly high: number;
}

const confidence = 0.95;

/** @param values at least one, in any order. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const { low, high } = medianInterval(sorted.length);
  return {
    median: medianOf(sorted),
    low: low < 1 ? -Infinity : sorted[low - 1]!,
    high: high > sorted.length ? Infinity : sorted[high - 1]!,
  };
}

export interface OrderInterval {
  /** Places in the sorted sample, from 1; 0 and one more than there are stand for infinity. */
  readonly low: number;
  readonly high: number;
}

/**
 * How many of n values lie below the population's median is binomial with 1/2. So the median lies
 * between the k-th and the next value with the probability of k, and the interval is the likeliest
 * gaps, taken from the middle outwards until they have 95 %; of two that are alike, the lower one.
 */
export function medianInterval(size: number): OrderInterval {
  const probability = binomialHalf(size);
  const at = (gap: number): number => probability[gap] ?? 0;
  let low = Math.floor(size / 2);
  let high = low + 1;
  let sum = at(low);
  // All of them together may come to a little less than 1.
  while (sum < confidence && (low > 0 || high <= size)) {
    if (at(low - 1) >= at(high)) sum += at(--low);
    else sum += at(high++);
  }
  return { low, high };
}

function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Mirrored from the middle, so that what is alike is alike to the last bit. */
function binomialHalf(size: number): number[] {
  const logarithms = [0];
  for (let k = 1; k <= size; k++) {
    logarithms.push(logarithms[k - 1]! + Math.log((size - k + 1) / k));
  }
  return logarithms.map((_, k) => Math.exp(logarithms[Math.min(k, size - k)]! - size * Math.LN2));
}
