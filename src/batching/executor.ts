/** The two-method interface behind a batch: this thread (local.ts) or the pool (pool.ts). */
import type { Kind } from '../contract/endpoints.ts';
import type { Frame } from './frames.ts';

export interface BatchExecutor {
  /**
   * @param frame given away: its memory may move to another thread.
   * @returns a response frame with one item for each request, in their order.
   * Rejects only when the thread that had the batch is gone; what it wrote is then not known.
   */
  execute(kind: Kind, frame: Frame): Promise<Frame>;
  /** Waits for batches that run, then lets go of threads and connections. */
  close(): Promise<void>;
}
