/** The executor in worker threads. A thread that dies is replaced; only its batches fail. */
import { FixedQueue, Piscina } from 'piscina';
import type { ExecutorOptions } from '../../workers/lanes.ts';
import type { Kind } from '../contract/endpoints.ts';
import type { BatchExecutor } from './executor.ts';
import type { Frame } from './frames.ts';

export interface PoolOptions {
  readonly threads: number;
  readonly executor: ExecutorOptions;
  /** Told of a thread's uncaught error. */
  readonly onThreadError: (error: Error) => void;
}

/** Batches that one thread has under way at once: the wait for PostgreSQL leaves it idle. */
const batchesPerThread = 16;
/** More can never come: each kind has a bounded number of batches under way. */
const queuedBatchesMax = 1024;

export function createPool(options: PoolOptions): BatchExecutor {
  const pool = new Piscina({
    filename: new URL('../../workers/task.worker.js', import.meta.url).href,
    minThreads: options.threads,
    maxThreads: options.threads,
    concurrentTasksPerWorker: batchesPerThread,
    maxQueue: queuedBatchesMax,
    taskQueue: new FixedQueue(),
    // The threads have sockets of their own: they must not block while they wait for a batch.
    atomics: 'async',
    recordTiming: false,
    workerData: options.executor,
  });
  pool.on('error', options.onThreadError);

  async function execute(kind: Kind, frame: Frame): Promise<Frame> {
    return (await pool.run({ kind, frame }, { transferList: [frame.buffer] })) as Frame;
  }

  return { execute, close: () => pool.close() };
}
