/**
 * The layout of the two buffers in which list reads travel between threads (frames.ts has that of tasks):
 *
 *   query record   offset: u32 | length: u32
 *   list record    generation: f64 | problem: u32 | offset: u32 | length of the links: u32
 *                  | length of the body, which follows the links: u32
 */
import type { StatementTiming } from '../base/statement-time.ts';
import { type ProblemCode, problemCodes } from '../contract/problems.ts';
import { bodyAt, type Frame, headBytes, recordViews, writeDue, writeTiming } from './frame-head.ts';

const queryRecordBytes = 8;
const listRecordBytes = 24;

/** One list read for the executor. */
export interface ListItem {
  /** In the form of list-key.ts. */
  readonly query: Uint8Array;
}

/** The result of one list read, or why it failed. */
export type ListAnswer =
  | {
      readonly problem: null;
      /** The generation of the snapshot in which the list was read. */
      readonly generation: number;
      /** Value of the Link header, in ASCII. */
      readonly links: string;
      /** May be a view of a larger buffer. */
      readonly body: Uint8Array;
    }
  | { readonly problem: ProblemCode; readonly cause: string };

export function encodeLists(items: readonly ListItem[], leftMs = 0): Frame {
  let offset = headBytes + items.length * queryRecordBytes;
  let queryBytes = 0;
  for (const { query } of items) queryBytes += query.length;
  const frame = new Uint8Array(offset + queryBytes);
  const doubles = new Float64Array(frame.buffer, 0, offset / 8);
  const words = new Uint32Array(frame.buffer, 0, offset / 4);
  words[0] = items.length;
  writeDue(doubles, leftMs);
  for (let index = 0; index < items.length; index++) {
    const { query } = items[index]!;
    const record = (headBytes + index * queryRecordBytes) / 4;
    words[record] = offset;
    words[record + 1] = query.length;
    frame.set(query, offset);
    offset += query.length;
  }
  return frame;
}

/** @returns items whose queries are views into the frame. */
export function decodeLists(frame: Frame): ListItem[] {
  const { words } = recordViews(frame, queryRecordBytes);
  return Array.from({ length: words[0]! }, (_, index) => {
    const record = (headBytes + index * queryRecordBytes) / 4;
    return { query: bodyAt(frame, words[record]!, words[record + 1]!) };
  });
}

export function encodeListAnswers(answers: readonly ListAnswer[], timing: StatementTiming): Frame {
  const bodies = answers.map((answer) =>
    answer.problem === null ? answer.body : Buffer.from(answer.cause),
  );
  let offset = headBytes + answers.length * listRecordBytes;
  let bodyBytes = 0;
  for (const [index, answer] of answers.entries()) {
    bodyBytes += bodies[index]!.length + (answer.problem === null ? answer.links.length : 0);
  }
  const frame = new Uint8Array(offset + bodyBytes);
  const bytes = Buffer.from(frame.buffer);
  const doubles = new Float64Array(frame.buffer, 0, offset / 8);
  const words = new Uint32Array(frame.buffer, 0, offset / 4);
  words[0] = answers.length;
  writeTiming(doubles, words, timing);
  for (const [index, answer] of answers.entries()) {
    const record = headBytes + index * listRecordBytes;
    const links = answer.problem === null ? answer.links : '';
    const body = bodies[index]!;
    doubles[record / 8] = answer.problem === null ? answer.generation : 0;
    words[record / 4 + 2] = answer.problem === null ? 0 : problemCodes.indexOf(answer.problem) + 1;
    words[record / 4 + 3] = offset;
    words[record / 4 + 4] = links.length;
    words[record / 4 + 5] = body.length;
    bytes.write(links, offset, 'latin1');
    frame.set(body, offset + links.length);
    offset += links.length + body.length;
  }
  return frame;
}

/** @returns lists whose bodies are views into the frame. */
export function decodeListAnswers(frame: Frame): ListAnswer[] {
  const { doubles, words } = recordViews(frame, listRecordBytes);
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return Array.from({ length: words[0]! }, (_, index) => {
    const record = headBytes + index * listRecordBytes;
    const problem = words[record / 4 + 2]!;
    const linksAt = words[record / 4 + 3]!;
    const bodyStart = linksAt + words[record / 4 + 4]!;
    const bodyLength = words[record / 4 + 5]!;
    if (problem !== 0) {
      const cause = bytes.toString('utf8', bodyStart, bodyStart + bodyLength);
      return { problem: problemCodes[problem - 1]!, cause };
    }
    return {
      problem: null,
      generation: doubles[record / 8]!,
      links: bytes.toString('latin1', linksAt, bodyStart),
      body: bodyAt(frame, bodyStart, bodyLength),
    };
  });
}
