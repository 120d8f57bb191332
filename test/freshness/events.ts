/**
 * What client processes write down and the checker reads. Times are of the machine's monotonic
 * clock, in milliseconds, so those of different processes can be compared.
 *
 * A group is a few tasks that one writer owns and changes one after the other, so its history is a
 * row of states. A state is written as the titles of its tasks, sorted, with a space between; a
 * title names the group, the task and the number of the write: `g7.3.12`.
 */

export interface WriteEvent {
  readonly type: 'write';
  readonly group: number;
  readonly start: number;
  /** When it was acknowledged; `null`: the outcome is not known, and the group ends here. */
  readonly end: number | null;
  /** What the group is after it. */
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
  /** What titles of this task begin with: `g7.3.`. */
  readonly task: string;
  /** `null`: not found. */
  readonly title: string | null;
}

/** A walk by cursor over everything. */
export interface WalkEvent {
  readonly type: 'walk';
  readonly start: number;
  readonly end: number;
  readonly path: string;
  /** Ids that came more than once. */
  readonly repeated: readonly number[];
  /** Of the tasks that were there throughout, those that did not come. */
  readonly missing: readonly number[];
}

export type FreshnessEvent = WriteEvent | ListEvent | ReadEvent | WalkEvent;

/** Milliseconds; CLOCK_MONOTONIC, which all processes share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
