/** One measured run, whoever was measured. */

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
  /** CPU seconds while measuring, by group of processes; `null` where the system does not tell. */
  readonly cpuSeconds: Readonly<Record<string, number>> | null;
  /** Share of the machine's time, 0..1. */
  readonly idle: number | null;
  readonly stolen: number | null;
}

/** CPU microseconds for one request. */
export function cpuPerRequest(sample: Sample, group: string): number | null {
  const seconds = sample.cpuSeconds?.[group];
  return seconds === undefined ? null : (seconds * 1e6) / sample.requests;
}
