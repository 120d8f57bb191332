/**
 * Latencies in log-linear buckets: 128 to 256 equal steps in each power of two, so a percentile is
 * off by at most 0.4 % (half a bucket) of its value, or 0.05 µs below 25 µs. Recording is two
 * integer operations and never allocates.
 */

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
  readonly mean: number;
}

export interface Histogram {
  record(microseconds: number): void;
  count(): number;
  /** The value in microseconds that this share (0..1) of the records does not exceed. */
  percentile(share: number): number;
  percentiles(): Percentiles;
}

/** The resolution below the first power of two: a tenth of a microsecond. */
const unitsPerMicrosecond = 10;
const stepBits = 7;
const stepsPerPower = 1 << stepBits;
/** 2^31 units are 214 s: longer than any run. */
const unitsMax = 2 ** 31 - 1;
const bucketCount = (31 - stepBits + 1) * stepsPerPower;

export function createHistogram(): Histogram {
  const buckets = new Float64Array(bucketCount);
  let records = 0;
  let sum = 0;
  let max = 0;

  function record(microseconds: number): void {
    const units = Math.min(unitsMax, Math.max(0, Math.round(microseconds * unitsPerMicrosecond)));
    buckets[bucketOf(units)]!++;
    records++;
    sum += microseconds;
    if (microseconds > max) max = microseconds;
  }

  function percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * records));
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += buckets[bucket]!;
      if (seen >= rank) return Math.min(max, middleOf(bucket) / unitsPerMicrosecond);
    }
    return max;
  }

  function percentiles(): Percentiles {
    return {
      p50: percentile(0.5),
      p90: percentile(0.9),
      p99: percentile(0.99),
      p999: percentile(0.999),
      p9999: percentile(0.9999),
      max,
      mean: records === 0 ? 0 : sum / records,
    };
  }

  return { record, count: () => records, percentile, percentiles };
}

function bucketOf(units: number): number {
  const shift = Math.max(0, 31 - Math.clz32(units) - stepBits);
  return shift * stepsPerPower + (units >>> shift);
}

function middleOf(bucket: number): number {
  if (bucket < 2 * stepsPerPower) return bucket;
  const shift = Math.floor(bucket / stepsPerPower) - 1;
  const steps = bucket - shift * stepsPerPower;
  return (steps + 0.5) * 2 ** shift - 0.5;
}
