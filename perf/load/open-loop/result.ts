/** What the open loop tells the process that started it. */
import type { Percentiles } from '../histogram.ts';

export interface OpenLoopResult {
  readonly seconds: number;
  /** Requests a second that fell due, and that were sent. */
  readonly dueRate: number;
  readonly sentRate: number;
  /** Answers a second with the status that was wanted, and with 503. */
  readonly goodRate: number;
  readonly refusedRate: number;
  readonly otherStatuses: Readonly<Record<string, number>>;
  readonly goodUs: Percentiles;
  readonly refusedUs: Percentiles;
  readonly cpuSeconds: number;
}
