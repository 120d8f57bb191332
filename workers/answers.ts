/** What the executor says of a request, as the frame carries it. */
import { type ResponseItem, replayedFlag, wantsProblemFlag } from '../src/batching/frames.ts';
import { type Fault, type ProblemCode, problemCodes, problems } from '../src/contract/problems.ts';
import { readByteTexts } from '../src/database/wire/row.ts';
import { encodeFaults, encodeTaskAnswer } from './encode.ts';
import type { Failure } from './failures.ts';
import type { KeyedOutcome } from './keyed-create.ts';
import { type TaskRow, toTaskRow } from './task-fields.ts';

const nobody = new Uint8Array(0);
export const noContent: ResponseItem = {
  id: 0,
  version: 0,
  status: 204,
  problem: 0,
  flags: 0,
  body: nobody,
};
export const notFound = problemAnswer('not_found');
export const preconditionFailed = problemAnswer('precondition_failed');
export const conflict = problemAnswer('conflict');
const keyReused = problemAnswer('idempotency_key_reused');

export function taskAnswer(status: number, row: TaskRow, flags = 0): ResponseItem {
  const body = encodeTaskAnswer(row);
  return { id: Number(row.id), version: Number(row.version), status, problem: 0, flags, body };
}

/** From a row of `taskColumns`, where it lies, without decoding its texts: perf/micro/encode.ts. */
export function readTaskAnswer(bytes: Buffer, at: number): ResponseItem {
  const row = toTaskRow(readByteTexts(bytes, at));
  return {
    id: Number(row.id),
    version: Number(row.version),
    status: 200,
    problem: 0,
    flags: 0,
    body: encodeTaskAnswer(row, 'latin1'),
  };
}

export function keyedAnswer(outcome: KeyedOutcome): ResponseItem {
  switch (outcome.type) {
    case 'created':
      return taskAnswer(201, outcome.row);
    case 'replayed':
      return taskAnswer(201, outcome.row, replayedFlag);
    case 'reused':
      return keyReused;
    case 'in-flight':
      return conflict;
  }
}

export function taskAnswerOrNotFound(row: TaskRow | undefined): ResponseItem {
  return row === undefined ? notFound : taskAnswer(200, row);
}

/** @param found in any order; an id that has none there is not found. */
export function inOrderOf(ids: readonly number[], found: readonly ResponseItem[]): ResponseItem[] {
  const byId = new Map<number, ResponseItem>();
  for (const answer of found) byId.set(answer.id, answer);
  return ids.map((id) => byId.get(id) ?? notFound);
}

export function faultsAnswer(faults: readonly [Fault, ...Fault[]], flags: number): ResponseItem {
  const format = (flags & wantsProblemFlag) === 0 ? 'envelope' : 'problem';
  const { status } = problems[faults[0].code];
  return { id: 0, version: 0, status, problem: 0, flags: 0, body: encodeFaults(faults, format) };
}

/** The body is the cause, for the front end's log: a client never sees it. */
export function failureAnswer(failure: Failure): ResponseItem {
  return problemAnswer(failure.code, Buffer.from(failure.cause));
}

function problemAnswer(code: ProblemCode, body: Uint8Array = nobody): ResponseItem {
  const { status } = problems[code];
  return { id: 0, version: 0, status, problem: problemCodes.indexOf(code) + 1, flags: 0, body };
}
