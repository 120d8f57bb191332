/**
 * The queue of one kind. While batches are on their way the next one gathers; there is no timer,
 * so one client has batches of one and load makes them grow by itself.
 *
 *   add ──▸ waiting (FIFO, bounded) ──▸ batch ──▸ executor ──▸ settle each
 */

import { messageOf } from '../base/error-message.ts';
import type { StatementTiming } from '../base/statement-time.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { Answers } from './batch-executor.ts';

/** A request that waits for its answer. */
export interface Waiting {
  /** Milliseconds of the monotonic clock at which the answer is due. */
  readonly deadline: number;
  /** When its batch went out, by the same clock; 0: not yet. */
  sentAt: number;
  /** Of its batch; `undefined`: that has not come back. */
  timing: StatementTiming | undefined;
}

/** Is told what becomes of batches. */
export interface BatchObserver {
  /** @param deadline of the first of `size` requests. */
  sent(size: number, deadline: number, now: number): void;
  answered(timing: StatementTiming): void;
  lost(): void;
}

/** For each request that was taken and is not gone, exactly one of `answer` and `fail` is called, once. */
export interface BatcherOptions<Request extends Waiting, Answer> {
  readonly batchMax: number;
  readonly queueMax: number;
  /** While the first of the queue has waited for longer than this, nobody else is let in. */
  readonly queueWaitMaxMs: number;
  /** Batches under way at once. */
  readonly inFlightMax: number;
  /** Two requests with the same id must not share a batch: one statement changes a row once. Unset: they may. */
  readonly idOf?: ((request: Request) => number) | undefined;
  /** A batch whose thread died may run once more, because it changes nothing. */
  readonly repeatable: boolean;
  /**
   * A lone request goes out in the next turn of the event loop, not in this one: the parser has then read what
   * else came with it. If that is malformed the client is told so, and the request must not have an effect.
   */
  readonly lonesWait: boolean;
  /** Its client has left or was told otherwise. A request that still waits then has no effect. */
  readonly isGone?: ((request: Request) => boolean) | undefined;
  /** The same for one request of a batch that as a whole is not: it takes effect once. */
  readonly isRepeatable?: (request: Request) => boolean;
  /** Of one that ran twice: the second answer does not say what became of the first try. */
  readonly leavesOpen?: (answer: Answer) => boolean;
  /** See BatchExecutor.execute; where the batch runs is decided behind this. */
  readonly execute: (requests: readonly Request[], leftMs: number) => Promise<Answers<Answer>>;
  readonly answer: (request: Request, answer: Answer) => void;
  readonly fail: (request: Request, code: ProblemCode, cause: string) => void;
  readonly observer?: BatchObserver | undefined;
}

export interface Batcher<Request extends Waiting> {
  /** `false`: too many wait, or for too long, and the request was not taken. */
  add(request: Request): boolean;
  /** Gives up on requests whose deadline has passed. Called now and then. */
  expire(now: number): void;
  /** Requests that wait or are under way. */
  size(): number;
}

export function createBatcher<Request extends Waiting, Answer>(
  options: BatcherOptions<Request, Answer>,
): Batcher<Request> {
  /** Told to a request that was sent and not answered: a write may have happened. */
  const lostCode: ProblemCode = options.repeatable ? 'unavailable' : 'outcome_unknown';
  let waiting: Request[] = [];
  /** No Set, see lane.ts. A place is emptied when its request is given up before the batch comes back. */
  const underWay: (Request | undefined)[][] = [];
  /** Those whose thread died once. */
  const repeated = new WeakSet<Request>();
  let scheduled = false;
  /** The last batch held one request. */
  let lone = true;

  function add(request: Request): boolean {
    if (waiting.length >= options.queueMax || isSlow(request)) return false;
    waiting.push(request);
    schedule();
    return true;
  }

  /**
   * Whoever comes while the queue is slow would wait for as long: it is kinder to say so at once,
   * and what is served is served in time. Deadlines are given on arrival, so their distance is
   * that of the arrivals.
   */
  function isSlow(request: Request): boolean {
    const first = waiting[0];
    return first !== undefined && request.deadline - first.deadline > options.queueWaitMaxMs;
  }

  /**
   * Under load: once the sockets that are readable in this turn of the event loop have all been
   * read. A lone client has nobody to wait for, and a turn is a tenth of its latency.
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

  /** @param items of their own: places are emptied while it runs. */
  function execute(items: readonly Request[]): Promise<Answers<Answer>> {
    const answers = options.execute(items, leftMsOf(items));
    return options.repeatable
      ? answers.catch(() => options.execute(items, leftMsOf(items)))
      : answers;
  }

  function expire(now: number): void {
    // Deadlines are given in order of arrival, so what is late stands at the front.
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

/** Deadlines are given in order of arrival, but for bodies that took long to come. */
function leftMsOf(items: readonly Waiting[]): number {
  let deadline = Number.POSITIVE_INFINITY;
  for (const item of items) deadline = Math.min(deadline, item.deadline);
  return deadline - performance.now();
}
