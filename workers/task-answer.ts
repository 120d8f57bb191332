/**
 * From a row of tasks, where it lies in the server's message, to the bytes of its answer. The row
 * becomes one text of its bytes, one character each, and the answer is put together from pieces of
 * that. What has to be escaped in JSON is ASCII, so UTF-8 passes through as it is: neither decoded nor
 * encoded. perf/micro/encode.ts has it beside the way by values.
 */
import type { ResponseItem } from '../src/batching/frames.ts';
import { lengthAt } from '../src/database/wire/reader.ts';
import { answerHead, answerTail, toRfc3339 } from './encode.ts';

const columnCountBytes = 2;
const lengthBytes = 4;

/** @param at of a row of `taskColumns`, all of them there. */
export function readTaskAnswer(bytes: Buffer, at: number): ResponseItem {
  const begin = at + columnCountBytes + lengthBytes;
  const id = begin + lengthAt(bytes, begin - lengthBytes);
  const version = id + lengthBytes + lengthAt(bytes, id);
  const title = version + lengthBytes + lengthAt(bytes, version);
  const description = title + lengthBytes + lengthAt(bytes, title);
  const status = description + lengthBytes + lengthAt(bytes, description);
  const assignee = status + lengthBytes + lengthAt(bytes, status);
  const created = assignee + lengthBytes + lengthAt(bytes, assignee);
  const updated = created + lengthBytes + lengthAt(bytes, created);

  const row = bytes.toString('latin1', begin, updated);
  /** What ends at `end`, and begins behind the length that stands where the one before it ends. */
  const piece = (before: number, end: number): string =>
    row.slice(before + lengthBytes - begin, end - begin);
  const idText = row.slice(0, id - begin);
  const json =
    `${answerHead}{"id":${idText},"title":${quote(piece(version, title))},` +
    `"description":${quote(piece(title, description))},"status":"${piece(description, status)}",` +
    `"assigneeID":${piece(status, assignee)},"createdAt":"${toRfc3339(piece(assignee, created))}",` +
    `"updatedAt":"${toRfc3339(piece(created, updated))}"}${answerTail}`;
  return {
    id: Number(idText),
    version: Number(piece(id, version)),
    status: 200,
    problem: 0,
    flags: 0,
    body: Buffer.from(json, 'latin1'),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const escaped = /["\\\u0000-\u001f]/;

function quote(text: string): string {
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}
