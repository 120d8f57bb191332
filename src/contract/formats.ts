/** The string formats of the schemas. Every schema compiler must register all of them. */
import { afterAllTimes, beforeAllTimes, isText, readTime } from './values.ts';

interface TextFormat {
  readonly holds: (text: string) => boolean;
  /** The text of a fault: what was expected. */
  readonly expected: string;
}

/** Text that PostgreSQL can store unchanged. */
export const storableFormat = 'storable';

export const formats: Readonly<Record<string, TextFormat>> = {
  [storableFormat]: {
    holds: isText,
    expected: 'must not contain U+0000 or a lone surrogate',
  },
  'date-time': { holds: isTimeOfTask, expected: 'must be a time such as 2026-01-31T12:00:00Z' },
};

/**
 * Responses: a time of RFC 3339 that the tables can hold. Requests may use more forms (readTime).
 */
function isTimeOfTask(text: string): boolean {
  const time = readTime(text);
  return time !== undefined && time !== beforeAllTimes && time !== afterAllTimes;
}
