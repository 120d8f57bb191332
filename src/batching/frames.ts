/**
 * The layout of the two buffers in which a batch travels between threads. Pure functions. Both
 * threads are in one process: numbers have the machine's byte order, and views need no copy.
 *
 * The head (frame-head.ts), then `count` records, then all bodies.
 *
 *   request record   id: f64 | flags: u32 | body offset: u32 | body length: u32
 *                    | extra length: u32; the extra text follows the body
 *   response record  id: f64 | version: f64 | status: u16 problem: u16 | body offset: u32
 *                    | body length: u32 | flags: u32
 */

import type { StatementTiming } from '../base/statement-time.ts';
import { bodyAt, type Frame, headBytes, recordViews, writeDue, writeTiming } from './frame-head.ts';

const requestRecordBytes = 24;
const responseRecordBytes = 32;

/** Request: the client wants errors as RFC 9457. */
export const wantsProblemFlag = 1;
/** Change: the body is a JSON merge patch. */
export const mergePatchFlag = 2;
/**
 * Change or removal: `extra` is a comma-separated list of versions. The task must have one of them,
 * or, where each has a minus (`-3,-4`), none of them.
 */
export const hasVersionsFlag = 4;
/** Create: `extra` is the Idempotency-Key. */
export const hasKeyFlag = 8;
/** Create: its precondition does not hold. An invalid body is reported first. */
export const isUnmetFlag = 16;

/** Response: the stored response to an earlier request with the same Idempotency-Key. */
export const replayedFlag = 1;

/** One request for the executor. A double holds every id exactly: ids are at most 2^53-1. */
export interface RequestItem {
  readonly id: number;
  readonly flags: number;
  readonly body: Uint8Array;
  /** ASCII. `flags` tells its meaning: versions or an Idempotency-Key. */
  readonly extra: string;
}

/**
 * The response to one request. `problem` is its index in `problemCodes` plus one; 0: no problem.
 */
export interface ResponseItem {
  readonly id: number;
  readonly version: number;
  readonly status: number;
  readonly problem: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/** @returns a frame that owns its memory, so that it can be transferred to another thread. */
export function encodeRequests(items: readonly RequestItem[], leftMs = 0): Frame {
  let bodyBytes = 0;
  for (const item of items) bodyBytes += item.body.length + item.extra.length;
  let bodyOffset = headBytes + items.length * requestRecordBytes;
  const frame = new Uint8Array(bodyOffset + bodyBytes);
  const doubles = new Float64Array(frame.buffer, 0, bodyOffset / 8);
  const words = new Uint32Array(frame.buffer, 0, bodyOffset / 4);

  words[0] = items.length;
  writeDue(doubles, leftMs);
  for (let index = 0; index < items.length; index++) {
    const item = items[index]!;
    const record = headBytes + index * requestRecordBytes;
    doubles[record / 8] = item.id;
    words[record / 4 + 2] = item.flags;
    words[record / 4 + 3] = bodyOffset;
    words[record / 4 + 4] = item.body.length;
    words[record / 4 + 5] = item.extra.length;
    frame.set(item.body, bodyOffset);
    bodyOffset += item.body.length;
    if (item.extra.length > 0) {
      Buffer.from(frame.buffer).write(item.extra, bodyOffset, 'latin1');
      bodyOffset += item.extra.length;
    }
  }
  return frame;
}

/** @returns items whose bodies are views into the frame. */
export function decodeRequests(frame: Frame): RequestItem[] {
  const { doubles, words } = recordViews(frame, requestRecordBytes);
  const items = new Array<RequestItem>(words[0]!);
  for (let index = 0; index < items.length; index++) {
    const record = headBytes + index * requestRecordBytes;
    const bodyOffset = words[record / 4 + 3]!;
    const bodyLength = words[record / 4 + 4]!;
    items[index] = {
      id: doubles[record / 8]!,
      flags: words[record / 4 + 2]!,
      body: bodyAt(frame, bodyOffset, bodyLength),
      extra: textAt(frame, bodyOffset + bodyLength, words[record / 4 + 5]!),
    };
  }
  return items;
}

/** @returns a frame that owns its memory, so that it can be transferred to another thread. */
export function encodeResponses(items: readonly ResponseItem[], timing: StatementTiming): Frame {
  let bodyBytes = 0;
  for (const item of items) bodyBytes += item.body.length;
  let bodyOffset = headBytes + items.length * responseRecordBytes;
  const frame = new Uint8Array(bodyOffset + bodyBytes);
  const doubles = new Float64Array(frame.buffer, 0, bodyOffset / 8);
  const words = new Uint32Array(frame.buffer, 0, bodyOffset / 4);

  words[0] = items.length;
  writeTiming(doubles, words, timing);
  for (let index = 0; index < items.length; index++) {
    const item = items[index]!;
    const record = headBytes + index * responseRecordBytes;
    doubles[record / 8] = item.id;
    doubles[record / 8 + 1] = item.version;
    words[record / 4 + 4] = item.status | (item.problem << 16);
    words[record / 4 + 5] = bodyOffset;
    words[record / 4 + 6] = item.body.length;
    words[record / 4 + 7] = item.flags;
    frame.set(item.body, bodyOffset);
    bodyOffset += item.body.length;
  }
  return frame;
}

/** @returns items whose bodies are views into the frame. */
export function decodeResponses(frame: Frame): ResponseItem[] {
  const { doubles, words } = recordViews(frame, responseRecordBytes);
  const items = new Array<ResponseItem>(words[0]!);
  for (let index = 0; index < items.length; index++) {
    const record = headBytes + index * responseRecordBytes;
    const outcome = words[record / 4 + 4]!;
    items[index] = {
      id: doubles[record / 8]!,
      version: doubles[record / 8 + 1]!,
      status: outcome & 0xffff,
      problem: outcome >>> 16,
      flags: words[record / 4 + 7]!,
      body: bodyAt(frame, words[record / 4 + 5]!, words[record / 4 + 6]!),
    };
  }
  return items;
}

function textAt(frame: Frame, offset: number, length: number): string {
  if (length === 0) return '';
  const bytes = Buffer.from(frame.buffer, frame.byteOffset + offset, length);
  return bytes.toString('latin1');
}
