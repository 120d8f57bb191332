/**
 * The value of `-bench`: regular expressions, one for each slash-separated part of a name.
 * Top-level alternatives are separate patterns, so `A/x|B` is `A/x` or `B`.
 */

export interface Pattern {
  matches(name: string): boolean;
}

/** @returns `undefined` if a part is not a regular expression. */
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

/** Ignores separators inside brackets and after a backslash. */
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
