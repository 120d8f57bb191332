/** The formats of texts that schemas name. Whoever compiles a schema registers all of them. */
import { afterAllTimes, beforeAllTimes, isText, readTime } from './values.ts';

interface TextFormat {
  readonly holds: (text: string) => boolean;
  /** What a fault says. */
  readonly expected: string;
}

/** What PostgreSQL can store faithfully. */
export const storableFormat = 'storable';

export const formats: Readonly<Record<string, TextFormat>> = {
  [storableFormat]: {
    holds: isText,
    expected: 'must not contain U+0000 or a lone surrogate',
  },
  'date-time': { holds: isTimeOfTask, expected: 'must be a time such as 2026-01-31T12:00:00Z' },
};

/**
 * What an answer may have: a time of RFC 3339 that PostgreSQL's tables can hold. Clients may write
 * more (readTime).
 */
function isTimeOfTask(text: string): boolean {
  const time = readTime(text);
  return time !== undefined && time !== beforeAllTimes && time !== afterAllTimes;
}
