/**
 * The name of a prepared statement: a digest of its text. Behind a pooler, or in a session that was
 * only partly reset, another client's statement may have the same name. With a digest it has the
 * same text too. Counted names once made a read run another connection's DELETE.
 */
import { createHash } from 'node:crypto';

/** 128 bits, so that two texts never share a name. NAMEDATALEN allows 63 characters. */
const digestCharacters = 22;
const prefix = 'tasks_';

/** Bounded: only prepared statements have names, and their number is fixed. */
const names = new Map<string, string>();

export function statementName(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(text).digest('base64url').slice(0, digestCharacters);
  const name = prefix + digest;
  names.set(text, name);
  return name;
}
