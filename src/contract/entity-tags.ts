/** Entity tags: what tells one version of a task or list from another (RFC 9110, section 8.8.3). */

/** Strong. */
export function taskEtag(id: number, version: number): string {
  return `"${id}-${version}"`;
}

const opaqueTag = '"[^"\\x00-\\x20\\x7f]*"';
const anyTag = `(?:W/)?${opaqueTag}`;

/** What versionsOf takes: `*`, or a list of entity tags that may have empty elements. */
export const conditionPattern = `^(?:\\*|[ \\t,]*${anyTag}(?:[ \\t]*,(?:[ \\t]*${anyTag})?)*[ \\t]*)$`;

interface EntityTag {
  readonly weak: boolean;
  /** With its quotes. */
  readonly text: string;
}

/** `undefined`: no list of entity tags. */
function parseEntityTags(header: string): EntityTag[] | undefined {
  // A tag and what ends it; an empty element of a list is tolerated (RFC 9110, section 5.6.1).
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

/** No task has lived through more changes. */
const versionPattern = /^"([1-9]\d{0,15})-([1-9]\d{0,14})"$/;

/** Of a weak tag, strong comparison says that it fits nothing (RFC 9110, section 8.8.3.2). */
export type TagComparison = 'strong' | 'weak';

/**
 * What a condition names of a task: If-Match by strong comparison, If-None-Match by weak (RFC 9110,
 * section 13.1). A tag of another task fits no version.
 * @returns the versions, perhaps none; `'any'` for `*`; `undefined` when it is neither `*` nor a list
 * of entity tags.
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
 * Whether the client has what it would get, by weak comparison (RFC 9110, section 13.1.2). A header
 * that is no list of entity tags says nothing.
 */
export function isKnownTo(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch === '*') return true;
  return parseEntityTags(ifNoneMatch)?.some(({ text }) => text === etag) === true;
}
