/**
 * The entry of Piscina's worker threads: one executor per thread, which connects with its first
 * batch.
 */
import { threadId } from 'node:worker_threads';
import { move, workerData } from 'piscina';
import { leftMsOf } from '../src/batching/frame-head.ts';
import { decodeRequests, encodeResponses } from '../src/batching/frames.ts';
import { decodeLists, encodeListAnswers } from '../src/batching/list-frames.ts';
import type { Batch } from '../src/batching/pool.ts';
import { isList } from '../src/contract/endpoints.ts';
import { createExecutor } from '../src/tasks/executor.ts';
import type { ExecutorOptions } from '../src/tasks/lanes.ts';
import { recordThread } from '../src/telemetry/metrics/thread-recorder.ts';
import { claimRegion, type ThreadRegions } from '../src/telemetry/metrics/thread-regions.ts';
import { answerMainThread } from '../src/telemetry/pprof/threads.ts';

export interface ThreadOptions {
  readonly executor: ExecutorOptions;
  /** Samples the heap and records profiles. */
  readonly profiles: boolean;
  /** The memory for this thread's metrics. */
  readonly metrics: ThreadRegions | undefined;
}

const options = workerData as ThreadOptions;
if (options.profiles) answerMainThread();
if (options.metrics !== undefined) {
  const numbers = claimRegion(options.metrics, threadId);
  if (numbers !== undefined) recordThread(numbers);
}
const executor = createExecutor(options.executor);
export default async function executeBatch({ kind, frame }: Batch): Promise<unknown> {
  if (isList(kind)) {
    const { items, timing } = await executor.readLists(kind, decodeLists(frame));
    return move(encodeListAnswers(items, timing));
  }
  const { items, timing } = await executor.execute(kind, decodeRequests(frame), leftMsOf(frame));
  return move(encodeResponses(items, timing));
}
