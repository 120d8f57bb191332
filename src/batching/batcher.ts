/**
 * The queue of one kind of request. While batches are in flight, new requests form the next batch.
 * There is no timer: one client alone gets batches of one, and batches grow with the load.
 *
 *   add ──▸ waiting (FIFO, bounded) ──▸ batch ──▸ executor ──▸ settle each
 */

import { messageOf } from '../base/error-message.ts';
import type { StatementTiming } from '../base/statement-time.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { Answers } from './batch-executor.ts';

/** A request in the queue or in flight. */
export interface Waiting {
  /** When the request times out, in milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** When its batch was sent, in milliseconds of `performance.now()`; 0: not yet. */
  sentAt: number;
  /** The timing of its batch; `undefined` until that is answered. */
  timing: StatementTiming | undefined;
}

/** Receives the events of batches, for metrics. */
export interface BatchObserver {
  /** @param deadline of the first of `size` requests, in milliseconds of `performance.now()`. */
  sent(size: number, deadline: number, now: number): void;
  answered(timing: StatementTiming): void;
  /** The worker thread died with the batch. */
  lost(): void;
}

/**
 * The batcher calls exactly one of `answer` and `fail` once for each request that `add` accepted,
 * unless `isGone` removed it from the queue.
 */
export interface BatcherOptions<Request extends Waiting, Answer> {
  /** The most requests in one batch. */
  readonly batchMax: number;
  /** The most requests in the queue; those in flight do not count. */
  readonly queueMax: number;
  /**
   * Load shedding: `add` rejects requests while the oldest queued one has waited longer than this.
   */
  readonly queueWaitMaxMs: number;
  /** The most batches in flight at once. */
  readonly inFlightMax: number;
  /** Two requests with the same id must not share a batch: one statement changes a row once. Unset: they may. */
  readonly idOf?: ((request: Request) => number) | undefined;
  /** The batcher retries a batch once when its thread died. For reads, which change nothing. */
  readonly repeatable: boolean;
  /**
   * A lone request is sent in the next turn of the event loop, not in this one. By then the parser
   * has read what came with it. If that is malformed, the client gets an error and the request must
   * have no effect.
   */
  readonly lonesWait: boolean;
  /**
   * The client has left, or has been answered already. The batcher drops such a request while it is
   * queued.
   */
  readonly isGone?: ((request: Request) => boolean) | undefined;
  /**
   * For batches that are not `repeatable`: this request may be retried once, because it takes
   * effect only once (Idempotency-Key).
   */
  readonly isRepeatable?: (request: Request) => boolean;
  /** For the answer to a retry: it does not tell whether the first attempt took effect. */
  readonly leavesOpen?: (answer: Answer) => boolean;
  /** Runs a batch: BatchExecutor.execute, on this thread or in the pool. */
  readonly execute: (requests: readonly Request[], leftMs: number) => Promise<Answers<Answer>>;
  readonly answer: (request: Request, answer: Answer) => void;
  readonly fail: (request: Request, code: ProblemCode, cause: string) => void;
  readonly observer?: BatchObserver | undefined;
}

export interface Batcher<Request extends Waiting> {
  /**
   * Queues a request.
   * @returns false when the queue is full or too slow; the request was not accepted.
   */
  add(request: Request): boolean;
  /**
   * Fails requests whose deadline has passed. The front end calls it on a timer.
   * @param now milliseconds of `performance.now()`.
   */
  expire(now: number): void;
  /** The number of requests queued or in flight. */
  size(): number;
}

/**
 * Collects requests of one kind into batches. Opens no timer and keeps no connection.
 *
 * Bounds: `queueMax` requests queued, `inFlightMax` batches in flight, `batchMax` requests in each.
 * It throws nothing and rejects nothing; it reports every failure by `fail`:
 * `overloaded` (the request timed out in the queue), `unavailable` (a read was lost or timed out in
 * flight), `outcome_unknown` (a write was lost or timed out in flight).
 *
 * @example
 * const batcher = createBatcher({ ...limits, execute, answer, fail });
 * if (!batcher.add(request)) rejectOverloaded(request);
 * setInterval(() => batcher.expire(performance.now()), 100);
 */
export function createBatcher<Request extends Waiting, Answer>(
  options: BatcherOptions<Request, Answer>,
): Batcher<Request> {
  /** The problem of a request that was sent and not answered. Its write may have committed. */
  const lostCode: ProblemCode = options.repeatable ? 'unavailable' : 'outcome_unknown';
  let waiting: Request[] = [];
  /** An array: a Set leaks here, see lane.ts. A request that times out leaves an empty slot. */
  const underWay: (Request | undefined)[][] = [];
  /** Requests that have been retried: each is retried at most once. */
  const repeated = new WeakSet<Request>();
  let scheduled = false;
  /** The last batch held one request, so there is probably only one client. */
  let lone = true;

  function add(request: Request): boolean {
    if (waiting.length >= options.queueMax || isSlow(request)) return false;
    waiting.push(request);
    schedule();
    return true;
  }

  /**
   * Load shedding: a request that would wait too long is rejected immediately, so that the accepted
   * ones are answered in time. Each deadline is the arrival plus the same timeout, so the distance
   * of two deadlines is that of the arrivals.
   */
  function isSlow(request: Request): boolean {
    const first = waiting[0];
    return first !== undefined && request.deadline - first.deadline > options.queueWaitMaxMs;
  }

  /**
   * Under load the batch is sent after the event loop has read all sockets that are readable in
   * this turn. A lone client's request is sent at once: a turn of the event loop is a tenth of its
   * latency.
   */
  function schedule(): void {
    if (scheduled || underWay.length >= options.inFlightMax) return;
    scheduled = true;
    if (lone && underWay.length === 0 && !options.lonesWait) queueMicrotask(flush);
    else setImmediate(flush);
  }

  function flush(): void {
    scheduled = false;
    const { isGone } = options;
    if (isGone !== undefined && waiting.some(isGone)) {
      waiting = waiting.filter((request) => !isGone(request));
    }
    while (waiting.length > 0 && underWay.length < options.inFlightMax) void send(takeBatch());
  }

  function takeBatch(): Request[] {
    const { idOf } = options;
    if (idOf === undefined) {
      if (waiting.length <= options.batchMax) {
        const batch = waiting;
        waiting = [];
        return batch;
      }
      return waiting.splice(0, options.batchMax);
    }
    const ids = new Set<number>();
    const batch: Request[] = [];
    const left: Request[] = [];
    for (const request of waiting) {
      if (batch.length === options.batchMax || ids.has(idOf(request))) {
        left.push(request);
      } else {
        ids.add(idOf(request));
        batch.push(request);
      }
    }
    waiting = left;
    return batch;
  }

  async function send(batch: Request[]): Promise<void> {
    const places: (Request | undefined)[] = batch;
    underWay.push(places);
    lone = batch.length === 1;
    const now = performance.now();
    options.observer?.sent(batch.length, batch[0]!.deadline, now);
    for (const request of batch) request.sentAt = now;
    try {
      const { items, timing } = await execute([...batch]);
      options.observer?.answered(timing);
      for (let place = 0; place < places.length; place++) {
        const request = places[place];
        if (request === undefined) continue;
        request.timing = timing;
        const item = items[place]!;
        if (options.leavesOpen?.(item) === true && repeated.has(request)) {
          options.fail(request, lostCode, 'its thread died, and the second try failed');
        } else options.answer(request, item);
      }
    } catch (error) {
      options.observer?.lost();
      const cause = messageOf(error);
      const again: Request[] = [];
      for (const request of places) {
        if (request === undefined) continue;
        if (mayRunAgain(request)) again.push(request);
        else options.fail(request, lostCode, cause);
      }
      waiting = [...again, ...waiting];
    } finally {
      underWay.splice(underWay.indexOf(places), 1);
    }
    if (waiting.length > 0) flush();
  }

  function mayRunAgain(request: Request): boolean {
    if (options.isRepeatable?.(request) !== true || repeated.has(request)) return false;
    repeated.add(request);
    return true;
  }

  /** @param items a copy of the batch: the slots of the original are emptied while it runs. */
  function execute(items: readonly Request[]): Promise<Answers<Answer>> {
    const answers = options.execute(items, leftMsOf(items));
    return options.repeatable
      ? answers.catch(() => options.execute(items, leftMsOf(items)))
      : answers;
  }

  function expire(now: number): void {
    // Deadlines ascend with the order of arrival, so requests that timed out are at the front.
    let late = 0;
    while (late < waiting.length && waiting[late]!.deadline <= now) late++;
    for (const request of waiting.splice(0, late)) {
      options.fail(request, repeated.has(request) ? lostCode : 'overloaded', 'waited too long');
    }
    for (const batch of underWay) {
      for (let place = 0; place < batch.length; place++) {
        const request = batch[place];
        if (request === undefined || request.deadline > now) continue;
        batch[place] = undefined;
        options.fail(request, lostCode, 'no answer within the deadline');
      }
    }
  }

  function size(): number {
    let count = waiting.length;
    for (const batch of underWay) {
      for (const request of batch) if (request !== undefined) count++;
    }
    return count;
  }

  return { add, expire, size };
}

/**
 * The first deadline. The requests are not sorted by it: a slow body arrives after its deadline was
 * set.
 */
function leftMsOf(items: readonly Waiting[]): number {
  let deadline = Number.POSITIVE_INFINITY;
  for (const item of items) deadline = Math.min(deadline, item.deadline);
  return deadline - performance.now();
}
