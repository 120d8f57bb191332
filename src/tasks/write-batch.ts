/**
 * Writes a batch of any kind. It is sent as one statement. If a row makes that fail, the rows are
 * run again in pieces, so that only the faulty row fails. Rows that alone exceed the time limit
 * come last.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatementClock } from '../base/statement-time.ts';
import type { RequestItem, ResponseItem } from '../batching/frames.ts';
import type { Call } from '../database/pipeline/transaction.ts';
import type { Decoded } from './decode.ts';
import { describeFailure, type Failure, impossibleRows } from './failures.ts';
import { failureAnswer, faultsAnswer } from './item-answers.ts';
import type { LateRows } from './late-rows.ts';
import { limitsOf, setLimits, type TimeLimits } from './time-limits.ts';

/**
 * Runs one transaction. Rejects when nothing was written, or when the outcome is unknown.
 * @param before statements that run first in the transaction.
 * @param clock times the transaction.
 * @returns one answer for each value, in their order; `undefined`: nothing was written for an
 * unknown reason, and `lookCloser` finds out.
 */
export type Write<Value> = (
  values: readonly Value[],
  before: readonly Call[],
  clock: StatementClock,
) => Promise<readonly (ResponseItem | undefined)[]>;

export interface WriteKind<Value> {
  decode(item: RequestItem): Decoded<Value>;
  readonly write: Write<Value>;
  /** Answers the values that `write` left undefined. */
  readonly lookCloser: Write<Value>;
  /** Writing the value twice takes effect only once. */
  isRepeatable(value: Value): boolean;
  /** The id of the task; 0: a create, which has none. */
  idOf(value: Value): number;
}

export interface WriteOptions {
  /** The timeout of a request. */
  readonly timeoutMs: number;
  /** Milliseconds until the first request of the batch times out: no write may start later. */
  readonly leftMs: number;
  readonly late: LateRows;
  readonly clock: StatementClock;
}

interface Row<Value> {
  readonly value: Value;
  answer: ResponseItem | undefined;
}

const againMax = 4;
const againFirstMs = 5;
/** The time for an answer to reach the front end, which checks deadlines ten times a second. */
const marginShare = 0.05;
const marginMaxMs = 200;

const outOfTime: Failure = {
  code: 'unavailable',
  cause: 'the time of the request was over',
  course: 'unavailable',
  perRow: false,
};

/** Answers undecodable items with their faults and writes the rest. Never rejects. */
export async function executeWrites<Value>(
  items: readonly RequestItem[],
  kind: WriteKind<Value>,
  options: WriteOptions,
): Promise<ResponseItem[]> {
  const answers = new Array<ResponseItem>(items.length);
  const places: number[] = [];
  const rows: Row<Value>[] = [];
  for (let place = 0; place < items.length; place++) {
    const item = items[place]!;
    const decoded = kind.decode(item);
    if (decoded.ok) {
      places.push(place);
      rows.push({ value: decoded.value, answer: undefined });
    } else {
      answers[place] = faultsAnswer(decoded.faults, item.flags);
    }
  }
  if (rows.length > 0) await writeRows(rows, kind, options);
  for (let index = 0; index < places.length; index++) {
    answers[places[index]!] = rows[index]!.answer ?? failureAnswer(outOfStep);
  }
  return answers;
}

/** When it resolves, each row has its answer. */
async function writeRows<Value>(
  rows: readonly Row<Value>[],
  kind: WriteKind<Value>,
  { timeoutMs, leftMs, late, clock }: WriteOptions,
): Promise<void> {
  const dueAt = performance.now() + leftMs - Math.min(marginMaxMs, marginShare * timeoutMs);
  /** Rows that alone exceeded the time limit, with their current step. */
  const lateOnes: { readonly row: Row<Value>; readonly write: Write<Value> }[] = [];

  // Asked once for all rows: during the write another batch may remove a row from `late`.
  const inTime: Row<Value>[] = [];
  const known: Row<Value>[] = [];
  for (const row of rows) (late.has(kind.idOf(row.value)) ? known : inTime).push(row);
  if (inTime.length > 0) await settle(inTime, kind.write, undefined);
  for (const row of known) await settleLate(row);
  // The other rows are done, so each of these may take long.
  for (const { row, write } of lateOnes.splice(0)) await settle([row], write, limits('alone'));
  for (const { row } of lateOnes) remember(row);

  function remember({ value }: Row<Value>): void {
    const id = kind.idOf(value);
    if (id !== 0) late.add(id);
  }

  function limits(share: 'apart' | 'alone'): TimeLimits {
    return limitsOf(share, timeoutMs, dueAt - performance.now());
  }

  /** The row exceeded the time limit a moment ago, so it gets less time. */
  async function settleLate(row: Row<Value>): Promise<void> {
    late.remove(kind.idOf(row.value));
    await settle([row], kind.write, limits('apart'));
    if (lateOnes.at(-1)?.row !== row) return;
    lateOnes.pop();
    remember(row);
  }

  /** @param given `undefined`: the limits of the connection. */
  async function settle(
    some: readonly Row<Value>[],
    write: Write<Value>,
    given: TimeLimits | undefined,
  ): Promise<void> {
    const failure = await attempt(some, write, given);
    if (failure === undefined) {
      const open = some.filter(({ answer }) => answer === undefined);
      if (open.length > 0 && write === kind.write) await settle(open, kind.lookCloser, given);
      else fail(open, outOfStep);
      return;
    }
    if (failure.course === 'lost') return repeat(some, write, failure);
    if (failure.perRow && some.length > 1) {
      const isLateOne = failure.course === 'late';
      for (const piece of split(some, isLateOne)) {
        await settle(piece, write, isLateOne ? limits('apart') : given);
      }
      return;
    }
    if (failure.course === 'late') {
      // All rows wait for a table lock together, once.
      if (!failure.perRow && given === undefined) return settle(some, write, limits('alone'));
      if (some.length === 1) lateOnes.push({ row: some[0]!, write });
    }
    fail(some, failure);
  }

  /** @returns why nothing was written; `undefined`: each written row has its answer. */
  async function attempt(
    some: readonly Row<Value>[],
    write: Write<Value>,
    given: TimeLimits | undefined,
  ): Promise<Failure | undefined> {
    const values = some.map(({ value }) => value);
    for (let tries = 0; ; tries++) {
      const left = dueAt - performance.now();
      if (left <= 0) return outOfTime;
      const first = limitsOf('first', timeoutMs);
      const bounded = given ?? (left < first.statementMs ? limits('alone') : undefined);
      try {
        const before = bounded === undefined ? [] : [setLimits(bounded)];
        const answers = await write(values, before, clock);
        if (answers.length !== values.length) throw impossibleRows('not one for each request');
        for (let place = 0; place < some.length; place++) some[place]!.answer = answers[place];
        return undefined;
      } catch (error) {
        const failure = describeFailure(error, false);
        if (failure.course !== 'again' || tries === againMax) return failure;
        // A random delay, so that two conflicting transactions do not meet again.
        await sleep(Math.random() * againFirstMs * 2 ** tries);
      }
    }
  }

  /**
   * After a lost connection: writes the rows with a key once more; they take effect once. If the
   * first attempt may have been committed, only a success of the second one tells the outcome: a
   * failure, or a key in flight, does not. If the first attempt was not sent, the second answer
   * counts.
   */
  async function repeat(
    some: readonly Row<Value>[],
    write: Write<Value>,
    first: Failure,
  ): Promise<void> {
    fail(some, first);
    const rows = some.filter(({ value }) => kind.isRepeatable(value));
    if (rows.length === 0) return;
    const tries = rows.map(({ value }): Row<Value> => ({ value, answer: undefined }));
    const second = await attempt(tries, write, undefined);
    if (second !== undefined) fail(tries, second);
    for (const [place, { answer }] of tries.entries()) {
      if (answer === undefined) continue;
      if (first.code !== 'outcome_unknown' || answer.problem === 0) rows[place]!.answer = answer;
    }
  }
}

/**
 * Halves find a few faulty rows in the fewest runs. For slow rows, square-root pieces: two steps.
 */
function split<Value>(rows: readonly Row<Value>[], isLate: boolean): (readonly Row<Value>[])[] {
  const size = isLate ? Math.floor(Math.sqrt(rows.length)) : Math.ceil(rows.length / 2);
  const pieces: (readonly Row<Value>[])[] = [];
  for (let at = 0; at < rows.length; at += size) pieces.push(rows.slice(at, at + size));
  return pieces;
}

const outOfStep = describeFailure(impossibleRows('no answer'), false);

function fail<Value>(rows: readonly Row<Value>[], failure: Failure): void {
  const answer = failureAnswer(failure);
  for (const row of rows) row.answer = answer;
}
