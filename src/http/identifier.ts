/** The `:id` of a path. */
import { idMax } from '../contract/limits.ts';

/**
 * Canonical decimal only, so that a task has one URL.
 * @returns the number, `'malformed'`, or `'absent'` for one that is too large to exist.
 */
export function parseId(segment: string): number | 'malformed' | 'absent' {
  if (!/^[1-9][0-9]*$/.test(segment)) return 'malformed';
  if (segment.length > 16) return 'absent';
  const id = Number(segment);
  return id <= idMax ? id : 'absent';
}
