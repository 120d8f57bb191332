/** Chooses where a batch runs: on this thread, or in a worker thread. */
import type { ThreadOptions } from '../../workers/task.worker.ts';
import type { BatchExecutor } from '../batching/batch-executor.ts';
import type { RequestItem } from '../batching/frames.ts';
import type { ListItem } from '../batching/list-frames.ts';
import { createPool } from '../batching/pool.ts';
import type { Kind } from '../contract/endpoints.ts';
import type { FrontEndOptions } from '../ipc/front-end-options.ts';
import { createExecutor, type Executor } from '../tasks/executor.ts';
import type { Logger } from '../telemetry/log.ts';
import type { FrontEndMetrics } from '../telemetry/metrics/front-end-metrics.ts';
import { createThreadFailureLog } from '../telemetry/thread-failures.ts';

export interface Executors {
  /** On the front end's own thread. */
  readonly local: Executor;
  /** Runs a batch on one of them, depending on its size. */
  readonly either: Pick<BatchExecutor, 'execute' | 'readLists'>;
  /** The ids of the worker threads that run now. */
  threadIds(): readonly number[];
  /** Batches that no worker thread has taken yet. */
  batchesWaiting(): number;
  close(): Promise<void>;
}

/** A batch with larger bodies always goes to a worker: parsing them would delay other requests. */
const localBodiesMaxBytes = 64 * 1024;
/** A batch retries a lost statement once. Each attempt is given up by its connection before this. */
const batchMarginMs = 1500;

export function createExecutors(
  options: FrontEndOptions,
  metrics: FrontEndMetrics | undefined,
  log: Logger,
): Executors {
  const { batching, connections } = options;
  const shared = {
    database: options.database,
    statementTimeoutMs: batching.requestTimeoutMs,
    idleMs: options.connectionIdleMs,
  };
  const local = createExecutor({
    ...shared,
    connections: connections.local,
    applicationName: `tasks front end ${options.number}`,
  });
  const pool = createPool({
    threads: batching.workerThreads,
    program: new URL('../../workers/task.worker.js', import.meta.url),
    workerData: {
      executor: {
        ...shared,
        connections: connections.worker,
        applicationName: `tasks worker ${options.number}`,
      },
      profiles: options.profiles,
      metrics: metrics?.threads,
    } satisfies ThreadOptions,
    batchTimeoutMs: 2 * (batching.requestTimeoutMs + batchMarginMs),
    onThreadReplaced: () => metrics?.threadReplaced(),
    onThreadError: createThreadFailureLog(log),
  });

  /** The transfer to a worker costs more than the work of a small batch. */
  function choose(kind: Kind, size: number, bytes: number): BatchExecutor {
    const stays =
      batching.workerThreads === 0 ||
      (size < batching.offloadMinBatch && bytes <= localBodiesMaxBytes);
    metrics?.batches[kind].executed(stays);
    return stays ? local : pool;
  }

  return {
    local,
    either: {
      execute: (kind, items, leftMs) =>
        choose(kind, items.length, bodyBytesOf(items)).execute(kind, items, leftMs),
      readLists: (kind, items, leftMs) =>
        choose(kind, items.length, queryBytesOf(items)).readLists(kind, items, leftMs),
    },
    threadIds: pool.threadIds,
    batchesWaiting: pool.batchesWaiting,
    async close() {
      await Promise.all([pool.close(), local.close()]);
    },
  };
}

function bodyBytesOf(items: readonly RequestItem[]): number {
  let bytes = 0;
  for (const { body } of items) bytes += body.length;
  return bytes;
}

function queryBytesOf(items: readonly ListItem[]): number {
  let bytes = 0;
  for (const { query } of items) bytes += query.length;
  return bytes;
}
