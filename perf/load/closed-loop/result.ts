/** What the load generator tells the process that started it. */
import type { Percentiles } from '../histogram.ts';

export interface LoadResult {
  readonly scenario: string;
  readonly connections: number;
  /** How long was measured. */
  readonly seconds: number;
  /** Answers that came in while measuring. */
  readonly requests: number;
  /** Answers a second. */
  readonly rate: number;
  /** From handing a request to the socket to the last byte of its answer. */
  readonly latencyUs: Percentiles;
  readonly statuses: Readonly<Record<string, number>>;
  /** Empty, or the measurement does not count. */
  readonly failures: readonly string[];
  /** CPU time of the load generator itself while measuring. */
  readonly cpuSeconds: number;
}

export type LoadMessage =
  | { readonly type: 'measuring' }
  | { readonly type: 'measured' }
  | { readonly type: 'result'; readonly result: LoadResult };
