/** The interface behind a batch: an executor on this thread, or the pool (pool.ts). */

import type { StatementTiming } from '../base/statement-time.ts';
import type { ListKind, TaskKind } from '../contract/endpoints.ts';
import type { RequestItem, ResponseItem } from './frames.ts';
import type { ListAnswer, ListItem } from './list-frames.ts';

/** One answer for each request, in their order. */
export interface Answers<Answer> {
  readonly items: readonly Answer[];
  readonly timing: StatementTiming;
}

/**
 * Items are not changed by anybody until the answers are there. `leftMs` is the time until the first of them
 * is answered without us; writes do not begin later. Both reject only when the thread that had the batch is
 * gone; what it wrote is then not known.
 */
export interface BatchExecutor {
  execute(
    kind: TaskKind,
    items: readonly RequestItem[],
    leftMs: number,
  ): Promise<Answers<ResponseItem>>;
  readLists(
    kind: ListKind,
    items: readonly ListItem[],
    leftMs: number,
  ): Promise<Answers<ListAnswer>>;
  /** Waits for batches that run, then lets go of threads and connections. */
  close(): Promise<void>;
}
