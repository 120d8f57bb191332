/** Parses the `:id` of a path. */
import { idMax } from '../contract/limits.ts';

/**
 * Accepts only canonical decimals, so that a task has one URL.
 * @returns the number, `'malformed'`, or `'absent'` for a number larger than any id.
 */
export function parseId(segment: string): number | 'malformed' | 'absent' {
  if (!/^[1-9][0-9]*$/.test(segment)) return 'malformed';
  if (segment.length > 16) return 'absent';
  const id = Number(segment);
  return id <= idMax ? id : 'absent';
}
