/** Entity tags of tasks and lists (RFC 9110, section 8.8.3). */

/** A strong tag. */
export function taskEtag(id: number, version: number): string {
  return `"${id}-${version}"`;
}

/** A strong tag. @param tag identifies the query. */
export function listEtag(generation: number, tag: string): string {
  return `"${generation}-${tag}"`;
}

const opaqueTag = '"[^"\\x00-\\x20\\x7f]*"';
const anyTag = `(?:W/)?${opaqueTag}`;

/** What versionsOf takes: `*`, or a list of entity tags that may have empty elements. */
export const conditionPattern = `^(?:\\*|[ \\t,]*${anyTag}(?:[ \\t]*,(?:[ \\t]*${anyTag})?)*[ \\t]*)$`;

interface EntityTag {
  readonly weak: boolean;
  /** Includes the quotes. */
  readonly text: string;
}

/** @returns `undefined`: not a list of entity tags. */
function parseEntityTags(header: string): EntityTag[] | undefined {
  // A tag and its end. Empty elements of a list are allowed (RFC 9110, section 5.6.1).
  const element = new RegExp(`[ \\t]*(?:(W/)?(${opaqueTag}))?[ \\t]*(?:,|$)`, 'y');
  const tags: EntityTag[] = [];
  let position = 0;
  while (position < header.length) {
    element.lastIndex = position;
    const found = element.exec(header);
    if (found === null) return undefined;
    const [, weak, text] = found;
    if (text !== undefined) tags.push({ weak: weak !== undefined, text });
    position = element.lastIndex;
  }
  return tags.length === 0 ? undefined : tags;
}

/** Versions have at most 15 digits: no task has had more changes. */
const versionPattern = /^"([1-9]\d{0,15})-([1-9]\d{0,14})"$/;

/** By strong comparison a weak tag matches nothing (RFC 9110, section 8.8.3.2). */
export type TagComparison = 'strong' | 'weak';

/**
 * The versions that a condition names: If-Match uses strong comparison, If-None-Match weak (RFC
 * 9110, section 13.1). The tag of another task matches no version.
 * @returns the versions, perhaps none; `'any'` for `*`; `undefined` for an invalid header.
 */
export function versionsOf(
  header: string,
  id: number,
  comparison: TagComparison,
): readonly number[] | 'any' | undefined {
  if (header === '*') return 'any';
  const tags = parseEntityTags(header);
  if (tags === undefined) return undefined;
  const versions: number[] = [];
  for (const { weak, text } of tags) {
    const [, tagId, version] = versionPattern.exec(text) ?? [];
    const counts = !weak || comparison === 'weak';
    if (counts && tagId === String(id)) versions.push(Number(version));
  }
  return versions;
}

/**
 * Whether the client already has the representation, by weak comparison (RFC 9110, section 13.1.2).
 * An invalid header is ignored.
 */
export function isKnownTo(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch === '*') return true;
  return parseEntityTags(ifNoneMatch)?.some(({ text }) => text === etag) === true;
}
