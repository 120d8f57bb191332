/**
 * The place in a list that the next page begins behind, as text that clients hand back unread.
 * It belongs to one sort order and one filter; nothing in it is trusted.
 */
import { readNumber } from './filter.ts';
import { isRfc3339, isStorable } from './formats.ts';
import { hashText } from './hash.ts';
import { titleLengthMaxCodePoints } from './limits.ts';
import { statuses } from './task.ts';

export const sortFields = [
  'id',
  'title',
  'status',
  'assigneeID',
  'createdAt',
  'updatedAt',
] as const;
export type SortField = (typeof sortFields)[number];

/** The order of a list. The id is always the last key, in the same direction. */
export interface Order {
  readonly field: SortField;
  readonly descending: boolean;
}

/** The sort keys of a task. */
export interface Position {
  /** The sort field's value as text; empty when the field is the id itself. */
  readonly value: string;
  readonly id: number;
}

/** Raised when the layout changes: older cursors are then refused rather than misread. */
const layout = 1;

/** @param scope what the list is of and how it is sorted: see ListQuery. */
export function encodeCursor(position: Position, scope: string): string {
  const fields = [layout, hashText(scope), position.id, position.value];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** `undefined`: not a cursor, or not one of this list. */
export function decodeCursor(token: string, order: Order, scope: string): Position | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 4) return undefined;
  const [version, scopeHash, id, value] = fields as unknown[];
  if (version !== layout || scopeHash !== hashText(scope)) return undefined;
  if (!Number.isSafeInteger(id) || typeof value !== 'string') return undefined;
  return fits(value, order.field) ? { id: id as number, value } : undefined;
}

function fits(value: string, field: SortField): boolean {
  switch (field) {
    case 'id':
      return value === '';
    case 'title':
      return isStorable(value) && value.length <= 2 * titleLengthMaxCodePoints;
    case 'status':
      return (statuses as readonly string[]).includes(value);
    case 'assigneeID':
      return readNumber(value) !== undefined;
    case 'createdAt':
    case 'updatedAt':
      return isRfc3339(value);
  }
}
