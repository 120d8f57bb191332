/**
 * The events that client processes record and the checker reads. Times are from the machine's
 * monotonic clock, in milliseconds, so events of different processes can be compared.
 *
 * One writer owns a group of a few tasks and changes them one after the other, so its history is a
 * sequence of states. A state is the sorted titles of its tasks, separated by spaces. A title names
 * the group, the task and the number of the write: `g7.3.12`.
 */

export interface WriteEvent {
  readonly type: 'write';
  readonly group: number;
  readonly start: number;
  /** When it was acknowledged; `null`: the outcome is unknown, and the group ends here. */
  readonly end: number | null;
  /** The state of the group after it. */
  readonly state: string;
}

export interface ListEvent {
  readonly type: 'list';
  readonly group: number;
  readonly start: number;
  readonly end: number;
  readonly state: string;
  /** `meta.total`. */
  readonly total: number;
  readonly path: string;
}

export interface ReadEvent {
  readonly type: 'read';
  readonly group: number;
  readonly start: number;
  readonly end: number;
  /** The prefix of this task's titles: `g7.3.`. */
  readonly task: string;
  /** `null`: not found. */
  readonly title: string | null;
}

/** A walk by cursor over all tasks. */
export interface WalkEvent {
  readonly type: 'walk';
  readonly start: number;
  readonly end: number;
  readonly path: string;
  /** Ids that appeared more than once. */
  readonly repeated: readonly number[];
  /** Stable tasks that did not appear. */
  readonly missing: readonly number[];
}

export type FreshnessEvent = WriteEvent | ListEvent | ReadEvent | WalkEvent;

/** Milliseconds of CLOCK_MONOTONIC, which all processes share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
