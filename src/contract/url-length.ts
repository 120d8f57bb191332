/** Checks the length of a URL. */
import { cursorMaxCharacters, urlMaxBytes } from './limits.ts';

/** The service makes cursors, so their length must not reduce the room for a filter. */
const cursorPattern = new RegExp(`(?:^|&)cursor=([\\w-]{1,${cursorMaxCharacters}})(?:&|$)`);

/** @param query the text after the `?`, not decoded. */
export function isUrlTooLong(path: string, query: string): boolean {
  const length = path.length + query.length + 1;
  if (length <= urlMaxBytes) return false;
  return length - (cursorPattern.exec(query)?.[1]?.length ?? 0) > urlMaxBytes;
}
