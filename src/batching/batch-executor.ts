/**
 * Runs batches. Two implementations: an executor on this thread, and the pool of worker threads
 * (pool.ts).
 */

import type { StatementTiming } from '../base/statement-time.ts';
import type { ListKind, TaskKind } from '../contract/endpoints.ts';
import type { RequestItem, ResponseItem } from './frames.ts';
import type { ListAnswer, ListItem } from './list-frames.ts';

/** One answer for each request, in the order of the requests. */
export interface Answers<Answer> {
  readonly items: readonly Answer[];
  readonly timing: StatementTiming;
}

export interface BatchExecutor {
  /**
   * Runs one batch.
   * @param items in the order in which they arrived. Nobody changes them until the promise settles.
   * @param leftMs milliseconds until the first request times out. A write does not start later.
   * @returns one item for each request. A failed request is an item with a problem, not a
   * rejection.
   * Rejects only when the worker thread that ran the batch is gone. Its writes may have committed.
   */
  execute(
    kind: TaskKind,
    items: readonly RequestItem[],
    leftMs: number,
  ): Promise<Answers<ResponseItem>>;
  /** The same for lists. */
  readLists(
    kind: ListKind,
    items: readonly ListItem[],
    leftMs: number,
  ): Promise<Answers<ListAnswer>>;
  /** Waits for batches in flight, then ends the threads and closes the connections. */
  close(): Promise<void>;
}
