/** A read of a list that several requests share, and the way of that read to the executor and back. */
import type { StatementTiming } from '../base/statement-time.ts';
import type { ListKey } from '../contract/list-key.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { Generation } from './generation.ts';
import type { ListEntry } from './list-entry.ts';

/** A list request, from `add` to its answer. */
export interface ListRequest {
  readonly list: ListKey | undefined;
  /** Copied from the flight that answers the request; see batcher.ts. */
  sentAt: number;
  timing: StatementTiming | undefined;
  /** When the request times out, in milliseconds of `performance.now()`. */
  readonly deadline: number;
}

/**
 * One read of one list for all requests that wait for it. The executor's queue takes it as a
 * request.
 */
export interface Flight<Request> {
  /** That of its key. */
  readonly query: Uint8Array;
  readonly deadline: number;
  readonly key: ListKey;
  /** The result must be of this generation or a later one. */
  readonly floor: Generation;
  readonly requests: Request[];
  tries: number;
  sentAt: number;
  timing: StatementTiming | undefined;
}

/** Hands flights to the executor. */
export interface ListReads<Request> {
  /** `false`: its queue is full. */
  add(flight: Flight<Request>): boolean;
  /** Fails flights whose deadline has passed. */
  expire(now: number): void;
}

/** What becomes of a flight that was handed on: one of the two is called, once. */
export interface Landing<Request> {
  /** The executor's answer. `body` may be a view into something larger. */
  land(flight: Flight<Request>, list: Pick<ListEntry, 'generation' | 'links' | 'body'>): void;
  /** The executor's failure. */
  crash(flight: Flight<Request>, code: ProblemCode, cause: string): void;
}
