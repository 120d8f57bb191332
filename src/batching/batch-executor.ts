/** The two-method interface behind a batch: an executor on this thread, or the pool (pool.ts). */

import type { StatementTiming } from '../base/statement-time.ts';
import type { Kind } from '../contract/endpoints.ts';
import type { RequestItem, ResponseItem } from './frames.ts';

/** One answer for each request, in their order. */
export interface Answers {
  readonly items: readonly ResponseItem[];
  readonly timing: StatementTiming;
}

export interface BatchExecutor {
  /**
   * @param items not changed by anybody until the answers are there.
   * @param leftMs until the first of them is answered without us; writes do not begin later.
   * Rejects only when the thread that had the batch is gone; what it wrote is then not known.
   */
  execute(kind: Kind, items: readonly RequestItem[], leftMs: number): Promise<Answers>;
  /** Waits for batches that run, then lets go of threads and connections. */
  close(): Promise<void>;
}
