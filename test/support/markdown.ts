/** The references in the project's Markdown files: links, headings, and code. */
import { posix } from 'node:path';
import { readSource } from './house.ts';

export interface Reference {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface Markdown {
  readonly file: string;
  /** The targets as written; code is skipped. */
  readonly links: readonly Reference[];
  /** Spans in backticks, and the lines of code blocks. */
  readonly code: readonly Reference[];
  /** The anchors by GitHub's rules. */
  readonly anchors: ReadonlySet<string>;
}

const fence = /^\s*(`{3,}|~{3,})/;
const span = /(`+)(.+?)\1(?!`)/g;
const link = /\[[^\]]*\]\(([^()\s]+(?:\([^()\s]*\))?)\)/g;
const heading = /^#{1,6} +(.+?)(?: +#+)?$/;

export function readMarkdown(file: string): Markdown {
  return parseMarkdown(file, readSource(file).lines);
}

export function parseMarkdown(file: string, lines: readonly string[]): Markdown {
  const links: Reference[] = [];
  const code: Reference[] = [];
  const anchors = new Set<string>();
  let inBlock: string | undefined;
  for (const [index, text] of lines.entries()) {
    const at = (found: string): Reference => ({ file, line: index + 1, text: found });
    const mark = fence.exec(text)?.[1];
    if (inBlock !== undefined) {
      if (mark?.startsWith(inBlock)) inBlock = undefined;
      else code.push(at(text));
      continue;
    }
    if (mark !== undefined) {
      inBlock = mark;
      continue;
    }
    for (const [, , content] of text.matchAll(span)) code.push(at(content!));
    // A link's text may be code.
    const prose = text.replaceAll(span, (_, marks: string) => marks);
    for (const [, target] of prose.matchAll(link)) links.push(at(target!));
    const title = heading.exec(text)?.[1];
    if (title !== undefined) addAnchor(anchors, title);
  }
  return { file, links, code, anchors };
}

/** @returns the file relative to the root, and the anchor; `undefined`: an external target. */
export function localTarget({
  file,
  text,
}: Reference): { readonly path: string; readonly anchor: string } | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(text)) return undefined;
  const [path = '', anchor = ''] = text.split('#');
  const folder = posix.dirname(file);
  return {
    path: path === '' ? file : posix.join(folder, decodeURIComponent(path)).replace(/\/$/, ''),
    anchor,
  };
}

/** The second heading of the same name gets the suffix `-1`. */
function addAnchor(anchors: Set<string>, title: string): void {
  const name = title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
  let anchor = name;
  for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${count}`;
  anchors.add(anchor);
}
