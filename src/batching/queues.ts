/** The queues of a front end: one for each kind of request, with the rules of that kind. */
import type { BatchingConfig } from '../config/config.ts';
import { isRead, type Kind, type ListKind, type TaskKind } from '../contract/endpoints.ts';
import { type ProblemCode, problemCodes } from '../contract/problems.ts';
import type { BatchExecutor } from './batch-executor.ts';
import {
  type Batcher,
  type BatcherOptions,
  type BatchObserver,
  createBatcher,
  type Waiting,
} from './batcher.ts';
import { hasKeyFlag, type RequestItem, type ResponseItem } from './frames.ts';
import type { ListAnswer, ListItem } from './list-frames.ts';

export interface Queues {
  open<Request extends Waiting & RequestItem>(
    kind: TaskKind,
    answer: BatcherOptions<Request, ResponseItem>['answer'],
    fail: BatcherOptions<Request, ResponseItem>['fail'],
    isGone?: BatcherOptions<Request, ResponseItem>['isGone'],
  ): Batcher<Request>;
  openLists<Request extends Waiting & ListItem>(
    kind: ListKind,
    answer: BatcherOptions<Request, ListAnswer>['answer'],
    fail: BatcherOptions<Request, ListAnswer>['fail'],
  ): Batcher<Request>;
}

/**
 * Two batches in flight keep PostgreSQL busy while the last responses are written (perf/README.md).
 */
const batchesInFlightMax = 2;
/**
 * A batch is answered when its slowest request is. Searches may be slow, so each has its own batch.
 */
const searchesInFlightMax = 4;

/** A retry that fails with one of these does not tell whether the first attempt took effect. */
const notFinal: ReadonlySet<ProblemCode> = new Set(['unavailable', 'overloaded', 'conflict']);

export function createQueues(
  { batchMax, queueMax, queueWaitMaxMs }: BatchingConfig,
  executor: Pick<BatchExecutor, 'execute' | 'readLists'>,
  observers: Readonly<Record<Kind, BatchObserver>> | undefined,
): Queues {
  return {
    open: (kind, answer, fail, isGone) =>
      createBatcher({
        batchMax,
        queueMax,
        queueWaitMaxMs,
        inFlightMax: batchesInFlightMax,
        idOf: kind === 'change' || kind === 'remove' ? ({ id }) => id : undefined,
        repeatable: isRead(kind),
        lonesWait: !isRead(kind),
        isGone,
        isRepeatable: ({ flags }) => (flags & hasKeyFlag) !== 0,
        leavesOpen: ({ problem }) => problem !== 0 && notFinal.has(problemCodes[problem - 1]!),
        execute: (items, leftMs) => executor.execute(kind, items, leftMs),
        answer,
        fail,
        observer: observers?.[kind],
      }),
    openLists: (kind, answer, fail) =>
      createBatcher({
        batchMax: kind === 'search' ? 1 : batchMax,
        queueMax,
        queueWaitMaxMs,
        inFlightMax: kind === 'search' ? searchesInFlightMax : batchesInFlightMax,
        repeatable: true,
        lonesWait: false,
        execute: (items, leftMs) => executor.readLists(kind, items, leftMs),
        answer,
        fail,
        observer: observers?.[kind],
      }),
  };
}
