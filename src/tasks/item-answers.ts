/** The answers of the executor in the form that a frame carries. */
import { type ResponseItem, replayedFlag, wantsProblemFlag } from '../batching/frames.ts';
import { type Fault, type ProblemCode, problemCodes, problems } from '../contract/problems.ts';
import { readByteTexts, type Values } from '../database/pipeline/row.ts';
import { encodeFaults, encodeTaskAnswer } from './encode.ts';
import { type Failure, impossibleRows } from './failures.ts';
import type { PlacedRow } from './placed-rows.ts';
import { taskColumnCount, toTaskRow } from './task-fields.ts';

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
/**
 * The database skipped the row or left it unchanged without an error: a trigger or a policy did.
 */
export const leftOut = problemAnswer('rejected', Buffer.from('the row was left out'));
const keyReused = problemAnswer('idempotency_key_reused');

/** Decodes a row of `taskColumns` in place, without decoding its texts: perf/micro/encode.ts. */
export function readTaskAnswer(bytes: Buffer, at: number): ResponseItem {
  return byteAnswer(200, readByteTexts(bytes, at), 0);
}

export function readCreatedAnswer(bytes: Buffer, at: number): ResponseItem {
  return byteAnswer(201, readByteTexts(bytes, at), 0);
}

/** The same row followed by the index of a create in its batch. */
export function readPlacedCreated(bytes: Buffer, at: number): PlacedRow<ResponseItem> {
  const texts = readByteTexts(bytes, at);
  return { place: Number(texts[taskColumnCount]), answer: byteAnswer(201, texts, 1) };
}

/** The same row followed by the id of the change. */
export function readPlacedChanged(bytes: Buffer, at: number): PlacedRow<ResponseItem> {
  const texts = readByteTexts(bytes, at);
  return { place: Number(texts[taskColumnCount]), answer: byteAnswer(200, texts, 1) };
}

/** A row of a conditional change: the task's columns, the requested id, and the verdict. */
export function readJudgedAnswer(bytes: Buffer, at: number): PlacedRow<ResponseItem> {
  const texts = readByteTexts(bytes, at);
  const place = Number(texts[taskColumnCount]);
  const verdict = texts[taskColumnCount + 1];
  return { place, answer: verdict === 'met' ? byteAnswer(200, texts, 2) : refusal(verdict) };
}

export function readJudgedRemoval(bytes: Buffer, at: number): PlacedRow<ResponseItem> {
  const [id, verdict] = readByteTexts(bytes, at);
  return { place: Number(id), answer: verdict === 'met' ? noContent : refusal(verdict) };
}

function refusal(verdict: string | null | undefined): ResponseItem {
  if (verdict === 'not met') return preconditionFailed;
  if (verdict === 'kept') return leftOut;
  throw impossibleRows('a task without a verdict');
}

/** A row of keyed-create.ts: the task's columns, the index in the batch, and the verdict. */
export function readKeyedAnswer(bytes: Buffer, at: number): PlacedRow<ResponseItem> {
  const texts = readByteTexts(bytes, at);
  const outcome = texts[taskColumnCount + 1];
  return { place: Number(texts[taskColumnCount]), answer: keyedAnswer(outcome, texts) };
}

function keyedAnswer(outcome: string | null | undefined, texts: Values): ResponseItem {
  switch (outcome) {
    case 'created':
      return byteAnswer(201, texts, 2);
    case 'replayed':
      return byteAnswer(201, texts, 2, replayedFlag);
    case 'reused':
      return keyReused;
    case 'in-flight':
      return conflict;
    case 'left-out':
      return leftOut;
    default:
      throw impossibleRows('a create without an outcome');
  }
}

/** @param more the number of columns after those of the task. */
function byteAnswer(status: number, texts: Values, more: number, flags = 0): ResponseItem {
  if (texts.length !== taskColumnCount + more) throw impossibleRows('another number of columns');
  const row = toTaskRow(texts);
  const body = encodeTaskAnswer(row, 'latin1');
  return { id: Number(row.id), version: Number(row.version), status, problem: 0, flags, body };
}

export function readId(bytes: Buffer, at: number): number {
  const [id] = readByteTexts(bytes, at);
  return Number(id);
}

/** @param found in any order. An id without an answer is not found. */
export function inOrderOf(ids: readonly number[], found: readonly ResponseItem[]): ResponseItem[] {
  const byId = new Map<number, ResponseItem>();
  if (found.length > ids.length) throw impossibleRows('more tasks than were asked for');
  for (const answer of found) byId.set(answer.id, answer);
  return ids.map((id) => byId.get(id) ?? notFound);
}

export function faultsAnswer(faults: readonly [Fault, ...Fault[]], flags: number): ResponseItem {
  const format = (flags & wantsProblemFlag) === 0 ? 'envelope' : 'problem';
  const { status } = problems[faults[0].code];
  return { id: 0, version: 0, status, problem: 0, flags: 0, body: encodeFaults(faults, format) };
}

/** The body is the cause, for the front end's log; clients never see it. */
export function failureAnswer(failure: Failure): ResponseItem {
  return problemAnswer(failure.code, Buffer.from(failure.cause));
}

function problemAnswer(code: ProblemCode, body: Uint8Array = nobody): ResponseItem {
  const { status } = problems[code];
  return { id: 0, version: 0, status, problem: problemCodes.indexOf(code) + 1, flags: 0, body };
}
