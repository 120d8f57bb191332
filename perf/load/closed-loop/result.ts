/** What the load generator tells the process that started it. */
import type { Percentiles } from '../histogram.ts';

export interface LoadResult {
  readonly scenario: string;
  readonly connections: number;
  /** The measured time. */
  readonly seconds: number;
  /** Responses during the measured time. */
  readonly requests: number;
  /** Responses per second. */
  readonly rate: number;
  /** From writing a request to the socket to the last byte of its response. */
  readonly latencyUs: Percentiles;
  readonly statuses: Readonly<Record<string, number>>;
  /** If not empty, the measurement is invalid. */
  readonly failures: readonly string[];
  /** CPU time of the load generator during the measured time. */
  readonly cpuSeconds: number;
}

export type LoadMessage =
  | { readonly type: 'measuring' }
  | { readonly type: 'measured' }
  | { readonly type: 'result'; readonly result: LoadResult };
