/**
 * A batch of writes of one kind, whatever the kind. It goes out as one statement; what fails because of
 * a row is run again in pieces, so that only the guilty one fails; and who is late alone comes last.
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
 * One transaction. Rejects when nothing of it was written, or when that is not known.
 * @param before statements that run first in it.
 * @param clock times it.
 * @returns one answer for each value, in their order; `undefined`: nothing was written and it is to be
 * looked at more closely.
 */
export type Write<Value> = (
  values: readonly Value[],
  before: readonly Call[],
  clock: StatementClock,
) => Promise<readonly (ResponseItem | undefined)[]>;

export interface WriteKind<Value> {
  decode(item: RequestItem): Decoded<Value>;
  readonly write: Write<Value>;
  /** Answers each of what `write` has left open. */
  readonly lookCloser: Write<Value>;
  /** One that took effect does so once, also when it is written again. */
  isRepeatable(value: Value): boolean;
  /** The task that is late when this is; 0: none. */
  idOf(value: Value): number;
}

export interface WriteOptions {
  /** Of a request as a whole. */
  readonly timeoutMs: number;
  /** Until the first of the batch is answered without us: what begins later must not happen. */
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
/** An answer needs some time on its way to the front end, which looks at deadlines ten times a second. */
const marginShare = 0.05;
const marginMaxMs = 200;

const outOfTime: Failure = {
  code: 'unavailable',
  cause: 'the time of the request was over',
  course: 'unavailable',
  perRow: false,
};

/** What does not decode is answered with its faults, the rest is written. Never rejects. */
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

/** Each row has its answer in the end. */
async function writeRows<Value>(
  rows: readonly Row<Value>[],
  kind: WriteKind<Value>,
  { timeoutMs, leftMs, late, clock }: WriteOptions,
): Promise<void> {
  const dueAt = performance.now() + leftMs - Math.min(marginMaxMs, marginShare * timeoutMs);
  /** Those that were late alone, with what they were at. */
  const lateOnes: { readonly row: Row<Value>; readonly write: Write<Value> }[] = [];

  // Asked once: while the others are written, another batch may find that a row is late no more.
  const inTime: Row<Value>[] = [];
  const known: Row<Value>[] = [];
  for (const row of rows) (late.has(kind.idOf(row.value)) ? known : inTime).push(row);
  if (inTime.length > 0) await settle(inTime, kind.write, undefined);
  for (const row of known) await settleLate(row);
  // The others are done; each of these may take long now.
  for (const { row, write } of lateOnes.splice(0)) await settle([row], write, limits('alone'));
  for (const { row } of lateOnes) remember(row);

  function remember({ value }: Row<Value>): void {
    const id = kind.idOf(value);
    if (id !== 0) late.add(id);
  }

  function limits(share: 'apart' | 'alone'): TimeLimits {
    return limitsOf(share, timeoutMs, dueAt - performance.now());
  }

  /** It had its time a moment ago. */
  async function settleLate(row: Row<Value>): Promise<void> {
    late.remove(kind.idOf(row.value));
    await settle([row], kind.write, limits('apart'));
    if (lateOnes.at(-1)?.row !== row) return;
    lateOnes.pop();
    remember(row);
  }

  /** @param given `undefined`: those of the connection. */
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
      // Locks on whole tables are waited for together, once.
      if (!failure.perRow && given === undefined) return settle(some, write, limits('alone'));
      if (some.length === 1) lateOnes.push({ row: some[0]!, write });
    }
    fail(some, failure);
  }

  /** @returns why nothing was written; `undefined`: each row that was written has its answer. */
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
        // By chance, so that two that stood in each other's way do not meet again.
        await sleep(Math.random() * againFirstMs * 2 ** tries);
      }
    }
  }

  /**
   * The connection was lost: what has a key is written once more, and takes effect once. Where the first
   * try may have been committed, only a success says what became of it: a second try that failed, or found the
   * key under way, says nothing. Where the first one was not sent, the second one's answer is the answer.
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

/** Halves find a few guilty ones in the fewest runs; but where each run with one takes long, in two steps. */
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
