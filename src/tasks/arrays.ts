/** PostgreSQL's text form of arrays (manual, "Array Input and Output Syntax"). */

export function bigintArray(values: readonly (number | null)[]): string {
  // Array.join writes null as the empty string, which is not PostgreSQL's NULL.
  let text = '{';
  for (let place = 0; place < values.length; place++) {
    if (place > 0) text += ',';
    text += values[place] ?? 'NULL';
  }
  return `${text}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  let text = '{';
  for (let place = 0; place < values.length; place++) {
    if (place > 0) text += ',';
    text += quote(values[place]!);
  }
  return `${text}}`;
}

const special = /["\\]/;
const everySpecial = /["\\]/g;

function quote(value: string | null): string {
  if (value === null) return 'NULL';
  return special.test(value) ? `"${value.replace(everySpecial, '\\$&')}"` : `"${value}"`;
}
