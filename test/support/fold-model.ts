/** The expected result of tasks_fold (migration 030), by Node's Unicode tables. */

/** Letters newer than the Unicode version of a supported server, which leaves them unchanged. */
const newer: readonly (readonly [first: number, last: number])[] = [
  [0x1c89, 0x1c8a],
  [0x1c90, 0x1cbf],
  [0x2c2f, 0x2c2f],
  [0x2c5f, 0x2c5f],
  [0xa7b8, 0xa7dc],
  [0xa7f5, 0xa7f6],
  [0x10570, 0x105bc],
  [0x10d50, 0x10d85],
  [0x16e40, 0x16e7f],
  [0x16ea0, 0x16ed3],
];

export function isNewer(codePoint: number): boolean {
  return newer.some(([first, last]) => codePoint >= first && codePoint <= last);
}

/** Composed, then each letter mapped to the lower case of its capital, then composed again. */
export function foldByModel(text: string): string {
  return [...text.normalize('NFC')].map(foldLetter).join('').normalize('NFC');
}

/** Simple mapping: one code point to one code point. */
function foldLetter(letter: string): string {
  if (letter === '\u0130') return 'i';
  return simple(letter, simple(letter, letter.toUpperCase()).toLowerCase());
}

function simple(letter: string, mapped: string): string {
  return [...mapped].length === 1 ? mapped : letter;
}
