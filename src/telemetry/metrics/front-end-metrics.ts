/** All metrics of a front end, and the timer that writes them for the primary. */
import { type Kind, kinds } from '../../contract/endpoints.ts';
import type { ProblemCode } from '../../contract/problems.ts';
import type { CacheStats } from '../stats.ts';
import { type BatchRecorder, createBatchRecorder } from './batch-recorder.ts';
import { createFrontEndLayout } from './front-end-layout.ts';
import { createResourceRecorder } from './process-layout.ts';
import { createRequestRecorder, type RequestRecorder } from './request-recorder.ts';
import { openMetricStore, type StoreListener } from './store.ts';
import { numbersPerThread, threadSlots } from './thread-layout.ts';
import { recordThread } from './thread-recorder.ts';
import {
  createThreadRegions,
  freeRegions,
  type ThreadRegions,
  threadNumbers,
  threadRegionCount,
} from './thread-regions.ts';

export interface FrontEndMetricsOptions extends StoreListener {
  /** See store.ts. */
  readonly file: string;
  readonly workerThreads: number;
  readonly requestTimeoutMs: number;
}

/** The current state, read at each write. */
export interface FrontEndState {
  readonly openRequests: number;
  readonly queued: (kind: Kind) => number;
  readonly cache: Readonly<CacheStats>;
  readonly cacheBytes: number;
  /** `undefined`: Redis is not configured. */
  readonly redisUp: boolean | undefined;
  readonly workerThreadIds: readonly number[];
  /** Batches that wait for a worker thread. */
  readonly batchesWaiting: number;
  /** New connections are not accepted. */
  readonly isFull: boolean;
  readonly acceptPauses: number;
}

export interface FrontEndMetrics {
  readonly requests: RequestRecorder;
  readonly batches: Readonly<Record<Kind, BatchRecorder>>;
  /** The memory in which worker threads count. */
  readonly threads: ThreadRegions;
  failed(code: ProblemCode): void;
  threadReplaced(): void;
  /** Writes the gauges. Called ten times a second. */
  write(state: FrontEndState): void;
  close(): void;
}

const cacheCounters = [
  'memoryHits',
  'memoryMisses',
  'memoryEvictions',
  'redisHits',
  'redisMisses',
  'redisFailures',
  'redisTimeouts',
  'redisFillsDropped',
  'generationReads',
  'generationReadFailures',
  'generationWaiters',
  'listReads',
  'listReadsShared',
] as const satisfies readonly (keyof CacheStats)[];

export function openFrontEndMetrics(options: FrontEndMetricsOptions): FrontEndMetrics {
  const layout = createFrontEndLayout(threadRegionCount(options.workerThreads));
  const store = openMetricStore(options.file, layout.size, options);
  const { numbers } = store;
  // The final counters of the front end that this one replaces.
  const before = numbers.slice();
  const threads = createThreadRegions(options.workerThreads);
  for (const [place, slot] of layout.workerThreads.entries()) {
    const own = threadNumbers(threads, place);
    own.set(numbers.subarray(slot, slot + numbersPerThread));
    own.fill(0, threadSlots.heapUsedBytes, threadSlots.externalBytes + 1);
  }
  const { mainThread } = layout;
  const recorder = recordThread(numbers.subarray(mainThread, mainThread + numbersPerThread));
  const recordProcess = createResourceRecorder(layout.process, numbers);

  function write(state: FrontEndState): void {
    recordProcess();
    numbers[layout.openRequests] = state.openRequests;
    numbers[layout.redisUp] = state.redisUp === undefined ? Number.NaN : Number(state.redisUp);
    for (const kind of kinds) numbers[layout.batches[kind].depth] = state.queued(kind);
    for (const name of cacheCounters) {
      const slot = layout.cache[name];
      numbers[slot] = before[slot]! + state.cache[name];
    }
    numbers[layout.cache.memoryBytes] = state.cacheBytes;
    numbers[layout.livingThreads] = state.workerThreadIds.length;
    numbers[layout.batchesWaiting] = state.batchesWaiting;
    numbers[layout.acceptsConnections] = Number(!state.isFull);
    numbers[layout.acceptPauses] = before[layout.acceptPauses]! + state.acceptPauses;
    freeRegions(threads, state.workerThreadIds);
    for (const [place, slot] of layout.workerThreads.entries()) {
      numbers.set(threadNumbers(threads, place), slot);
    }
    numbers[layout.heartbeat] = Date.now();
    store.write();
  }

  return {
    requests: createRequestRecorder(layout.requests, store),
    batches: Object.fromEntries(
      kinds.map((kind) => [
        kind,
        createBatchRecorder(layout.batches[kind], numbers, options.requestTimeoutMs),
      ]),
    ) as Readonly<Record<Kind, BatchRecorder>>,
    threads,
    failed(code) {
      numbers[layout.failures[code]!]!++;
    },
    threadReplaced() {
      numbers[layout.threadRestarts]!++;
    },
    write,
    close() {
      recorder.close();
      store.close();
    },
  };
}
