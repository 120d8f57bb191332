/**
 * A cursor: the position after which the next page starts, as text that clients return unchanged.
 * It belongs to one sort order and one filter. The service checks everything in it.
 *
 *   layout   1 byte
 *   scope    4 bytes, a hash of the sort order and the filter
 *   id       8 bytes
 *   value    the sort key as UTF-8, at most a title
 *
 * The bytes are base64url. A cursor has at most `cursorMaxCharacters` characters (limits.ts).
 */
import { isUtf8 } from 'node:buffer';
import { hashText } from './hash.ts';
import { cursorHeadBytes, cursorMaxCharacters, idMax, titleLengthMaxCodePoints } from './limits.ts';
import { isStatus, isText, readNumber, readTime } from './values.ts';

export const sortFields = [
  'id',
  'title',
  'status',
  'assigneeID',
  'createdAt',
  'updatedAt',
] as const;
export type SortField = (typeof sortFields)[number];

/** The sort order of a list. The id is always the last key, in the same direction. */
export interface Order {
  readonly field: SortField;
  readonly descending: boolean;
}

/** The sort keys of a task. */
export interface Position {
  /** The value of the sort field as text; empty if the field is the id. */
  readonly value: string;
  readonly id: number;
}

/** Incremented when the layout changes, so that older cursors are rejected. */
const layout = 2;
const scopeAt = 1;
const idAt = 5;

/** @param scope identifies the sort order and the filter: see scopeOf in list-query.ts. */
export function encodeCursor({ id, value }: Position, scope: string): string {
  const head = Buffer.alloc(cursorHeadBytes);
  head[0] = layout;
  head.writeUInt32BE(hashText(scope), scopeAt);
  head.writeBigUInt64BE(BigInt(id), idAt);
  return Buffer.concat([head, Buffer.from(value)]).toString('base64url');
}

/** @returns `undefined`: not a cursor, or a cursor of another list. */
export function decodeCursor(token: string, order: Order, scope: string): Position | undefined {
  if (token.length > cursorMaxCharacters) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // Only the canonical base64url text of the bytes is accepted.
  if (bytes.length < cursorHeadBytes || bytes.toString('base64url') !== token) return undefined;
  if (bytes[0] !== layout || bytes.readUInt32BE(scopeAt) !== hashText(scope)) return undefined;
  const id = bytes.readBigUInt64BE(idAt);
  const text = bytes.subarray(cursorHeadBytes);
  if (id > BigInt(idMax) || !isUtf8(text)) return undefined;
  const value = readValue(text.toString(), order.field);
  return value === undefined ? undefined : { id: Number(id), value };
}

/** @returns the value in canonical form; `undefined`: not a value of the field. */
function readValue(text: string, field: SortField): string | undefined {
  switch (field) {
    case 'id':
      return text === '' ? text : undefined;
    case 'title':
      return isText(text) && [...text].length <= titleLengthMaxCodePoints ? text : undefined;
    case 'status':
      return isStatus(text) ? text : undefined;
    case 'assigneeID':
      return readNumber(text) === undefined ? undefined : text;
    case 'createdAt':
    case 'updatedAt':
      return readTime(text);
  }
}
