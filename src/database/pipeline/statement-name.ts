/**
 * What a server keeps a statement as: a digest of its text. Behind a pooler, or in a session that was
 * reset by half, another client's statement may be there already; under this name it can only be the
 * same one. With names that are counted, a read once ran another connection's DELETE.
 */
import { createHash } from 'node:crypto';

/** 128 bits: no two texts ever share a name. NAMEDATALEN leaves room for 63 characters. */
const digestCharacters = 22;
const prefix = 'tasks_';

/** Only statements that are kept have names, and of those there is a bounded number. */
const names = new Map<string, string>();

export function statementName(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(text).digest('base64url').slice(0, digestCharacters);
  const name = prefix + digest;
  names.set(text, name);
  return name;
}
