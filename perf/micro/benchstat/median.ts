/** The median of a sample, and its confidence interval. */

export interface Summary {
  readonly median: number;
  /** Infinite if the sample is too small. */
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
  /** Indexes in the sorted sample, from 1; 0 and size + 1 stand for infinity. */
  readonly low: number;
  readonly high: number;
}

/**
 * The number of the n values below the population's median is binomial with p = 1/2. So the median
 * lies between the k-th value and the next one with that distribution's probability of k. The
 * interval takes the most likely gaps, from the middle outwards, until they sum to 95 %; of two
 * equally likely gaps the lower one first.
 */
export function medianInterval(size: number): OrderInterval {
  const probability = binomialHalf(size);
  const at = (gap: number): number => probability[gap] ?? 0;
  let low = Math.floor(size / 2);
  let high = low + 1;
  let sum = at(low);
  // Rounding may leave the sum slightly below 1.
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

/** Symmetric by construction, so that equal probabilities are equal to the last bit. */
function binomialHalf(size: number): number[] {
  const logarithms = [0];
  for (let k = 1; k <= size; k++) {
    logarithms.push(logarithms[k - 1]! + Math.log((size - k + 1) / k));
  }
  return logarithms.map((_, k) => Math.exp(logarithms[Math.min(k, size - k)]! - size * Math.LN2));
}
