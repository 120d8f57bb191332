/** How long a URL may be. */
import { cursorMaxCharacters, urlMaxBytes } from './limits.ts';

/** A cursor is as long as the service makes it, and must not take the room of a filter. */
const cursorPattern = new RegExp(`(?:^|&)cursor=([\\w-]{1,${cursorMaxCharacters}})(?:&|$)`);

/** @param query what stands behind the `?`, undecoded. */
export function isUrlTooLong(path: string, query: string): boolean {
  const length = path.length + query.length + 1;
  if (length <= urlMaxBytes) return false;
  return length - (cursorPattern.exec(query)?.[1]?.length ?? 0) > urlMaxBytes;
}
