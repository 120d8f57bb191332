/** The formats of texts that schemas name. Whoever compiles a schema registers all of them. */

interface TextFormat {
  readonly holds: (text: string) => boolean;
  /** What a fault says. */
  readonly expected: string;
}

/** What PostgreSQL can store faithfully. */
export const storableFormat = 'storable';

export const formats: Readonly<Record<string, TextFormat>> = {
  [storableFormat]: {
    holds: isStorable,
    expected: 'must not contain U+0000 or a lone surrogate',
  },
  'date-time': { holds: isRfc3339, expected: 'must be a time such as 2026-01-31T12:00:00Z' },
};

/** No U+0000, no lone surrogate. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** RFC 3339, section 5.6, without leap seconds. PostgreSQL has no year 0 and six digits. */
export function isRfc3339(text: string): boolean {
  const match = rfc3339.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(year, month - 1, day);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
