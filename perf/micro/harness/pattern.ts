/**
 * The value of `-bench`: regular expressions, one for each part of a name between slashes.
 * Alternatives at the top are patterns of their own, so `A/x|B` is `A/x` or `B`.
 */

export interface Pattern {
  matches(name: string): boolean;
}

/** @returns `undefined` where a part is no regular expression. */
export function parsePattern(text: string): Pattern | undefined {
  try {
    const alternatives = splitOutside(text, '|').map((alternative) =>
      splitOutside(alternative, '/').map((part) => new RegExp(part, 'u')),
    );
    return {
      matches(name) {
        const parts = name.split('/');
        return alternatives.some(
          (expressions) =>
            expressions.length <= parts.length &&
            expressions.every((expression, place) => expression.test(parts[place]!)),
        );
      },
    };
  } catch {
    return undefined;
  }
}

/** Not inside of brackets, and not behind a backslash. */
function splitOutside(text: string, separator: '|' | '/'): string[] {
  const pieces = [''];
  let inClass = false;
  let groups = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === separator && !inClass && groups === 0) {
      pieces.push('');
      continue;
    }
    if (character === '\\') pieces.push(pieces.pop()! + character + (text[++at] ?? ''));
    else pieces.push(pieces.pop()! + character);
    if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (!inClass && character === '(') groups++;
    else if (!inClass && character === ')') groups--;
  }
  return pieces;
}
