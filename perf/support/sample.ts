/** The result of one measured run. */

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Sample {
  readonly rate: number;
  readonly requests: number;
  readonly latencyUs: Latency;
  /** CPU seconds during the measurement, by group of processes; `null` if not available. */
  readonly cpuSeconds: Readonly<Record<string, number>> | null;
  /** The idle share of the machine's CPU time, 0..1. */
  readonly idle: number | null;
  readonly stolen: number | null;
}

/** CPU microseconds for one request. */
export function cpuPerRequest(sample: Sample, group: string): number | null {
  const seconds = sample.cpuSeconds?.[group];
  return seconds === undefined ? null : (seconds * 1e6) / sample.requests;
}
