/**
 * The filter of a list: a small subset of AIP-160. Pure functions that never throw.
 *   filter    = term *( separator term )
 *   separator = "," | " AND "
 *   term      = field operator value | value
 *   value     = bare text up to the next separator | quoted, with \" and \\ inside
 *
 * A term without a field matches in any field. Terms are combined with AND. At most
 * `filterMaxBytes` bytes and `filterTermsMax` terms (limits.ts).
 */
import { filterMaxBytes, filterTermsMax, idMax } from './limits.ts';
import { isStatus, isText, readNumber, readTime, type Status, statuses } from './values.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type FilterTerm =
  /** `contains` ignores case and has no wildcards. */
  | {
      readonly field: 'title' | 'description';
      readonly operator: '=' | '!=' | 'contains';
      readonly text: string;
    }
  | {
      readonly field: 'status';
      readonly operator: '=' | '!=' | 'in';
      /** Exactly one, except for `in`. */
      readonly statuses: readonly [Status, ...Status[]];
    }
  | {
      readonly field: 'id' | 'assigneeID';
      readonly operator: Comparison | 'in';
      /** Exactly one, except for `in`. Integers from 0 to 2^53-1. */
      readonly numbers: readonly [number, ...number[]];
    }
  | {
      readonly field: 'createdAt' | 'updatedAt';
      readonly operator: Comparison;
      /** In the canonical form of `readTime`: RFC 3339 in UTC. */
      readonly time: string;
    }
  /** Contained in title or description, or equal to status, id or assigneeID. */
  | { readonly field: 'any'; readonly text: string };

export type FilterResult =
  | { readonly ok: true; readonly terms: readonly FilterTerm[] }
  /** One sentence for the client with the token and its position, in characters from 1. */
  | { readonly ok: false; readonly message: string };

/**
 * Parses the filter of a list. Never throws: an invalid filter is a result with a message.
 * @param filter percent-decoded. Empty or blank: no terms.
 * @returns the terms in the order of the text, or what is wrong.
 * @example
 * parseFilter('status:pending|done AND title:"milk, bread"');
 * // { ok: true, terms: [
 * //   { field: 'status', operator: 'in', statuses: ['pending', 'done'] },
 * //   { field: 'title', operator: 'contains', text: 'milk, bread' }] }
 * parseFilter('priority=1');
 * // { ok: false, message: '"priority" at position 1: is no field; quote a text that has = in it' }
 */
export function parseFilter(filter: string): FilterResult {
  if (filter.trim() === '') return { ok: true, terms: [] };
  if (Buffer.byteLength(filter) > filterMaxBytes) {
    return { ok: false, message: `must have at most ${filterMaxBytes} bytes` };
  }
  if (!isText(filter)) {
    return { ok: false, message: 'must not contain U+0000 or a lone surrogate' };
  }
  const terms: FilterTerm[] = [];
  const reader: Reader = { text: filter, at: 0 };
  for (;;) {
    const term = readTerm(reader);
    if (typeof term === 'string') return { ok: false, message: term };
    terms.push(term);
    if (terms.length > filterTermsMax) {
      return { ok: false, message: `must have at most ${filterTermsMax} terms` };
    }
    const end = readSeparator(reader);
    if (end === true) return { ok: true, terms };
    if (typeof end === 'string') return { ok: false, message: end };
  }
}

/**
 * Writes the shortest text that parses to the same terms. Links contain it.
 * @param terms valid ones, as `parseFilter` returns them; none: the empty text.
 * @example printFilter([{ field: 'title', operator: 'contains', text: 'a, b' }]); // 'title:"a, b"'
 */
export function printFilter(terms: readonly FilterTerm[]): string {
  return terms.map(printTerm).join(',');
}

interface Reader {
  readonly text: string;
  at: number;
}

interface Value {
  readonly text: string;
  /** The index of its first character. */
  readonly at: number;
  readonly quoted: boolean;
}

const fieldNames: Readonly<Record<string, Exclude<FilterTerm['field'], 'any'>>> = {
  id: 'id',
  title: 'title',
  description: 'description',
  status: 'status',
  assigneeID: 'assigneeID',
  assignee_id: 'assigneeID',
  createdAt: 'createdAt',
  updatedAt: 'updatedAt',
};

/** @returns the term, or the message for an invalid one. */
function readTerm(reader: Reader): FilterTerm | string {
  skipSpace(reader);
  const start = reader.at;
  if (/^AND(\s|$)/.test(reader.text.slice(start))) {
    return problem(reader, start, 'AND', 'a term was expected');
  }
  const fieldAndOperator = /([A-Za-z_][A-Za-z0-9_]*)[ \t]*(!=|<=|>=|=|<|>|:)/y;
  fieldAndOperator.lastIndex = start;
  const match = fieldAndOperator.exec(reader.text);
  if (match === null) {
    const value = readValue(reader);
    if (typeof value === 'string') return value;
    if (value.text === '') return problem(reader, start, '', 'an empty text matches anything');
    return { field: 'any', text: value.text };
  }
  const [whole, name = '', operator = ''] = match;
  const field = Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined;
  if (field === undefined) {
    return problem(reader, start, name, `is no field; quote a text that has ${operator} in it`);
  }
  reader.at = start + whole.length;
  const value = readValue(reader);
  if (typeof value === 'string') return value;
  const operatorAt = start + whole.length - operator.length;
  return makeTerm(reader, field, operator, operatorAt, value);
}

function makeTerm(
  reader: Reader,
  field: Exclude<FilterTerm['field'], 'any'>,
  operator: string,
  operatorAt: number,
  value: Value,
): FilterTerm | string {
  const refuseOperator = () => problem(reader, operatorAt, operator, `does not apply to ${field}`);
  const refuseValue = (expected: string, token = value.text) =>
    problem(reader, value.at, token, `${field} needs ${expected}`);

  switch (field) {
    case 'title':
    case 'description':
      if (operator === ':') {
        if (value.text === '') return refuseValue('a text that is not empty');
        return { field, operator: 'contains', text: value.text };
      }
      if (operator !== '=' && operator !== '!=') return refuseOperator();
      return { field, operator, text: value.text };

    case 'status': {
      if (operator !== '=' && operator !== '!=' && operator !== ':') return refuseOperator();
      const names = operator === ':' ? value.text.split('|') : [value.text];
      const unknown = names.find((name) => !isStatus(name));
      if (unknown !== undefined) return refuseValue(`one of ${statuses.join(', ')}`, unknown);
      const [first, ...rest] = names as Status[];
      return { field, operator: operator === ':' ? 'in' : operator, statuses: [first!, ...rest] };
    }

    case 'id':
    case 'assigneeID': {
      const words = operator === ':' ? value.text.split('|') : [value.text];
      const wrong = words.find((word) => readNumber(word) === undefined);
      if (wrong !== undefined) return refuseValue(`an integer from 0 to ${idMax}`, wrong);
      const [first, ...rest] = words.map(Number);
      return {
        field,
        operator: operator === ':' ? 'in' : (operator as Comparison),
        numbers: [first!, ...rest],
      };
    }

    case 'createdAt':
    case 'updatedAt': {
      if (operator === ':') return refuseOperator();
      const time = readTime(value.text);
      if (time === undefined) return refuseValue('a time such as 2026-01-31T12:00:00Z');
      return { field, operator: operator as Comparison, time };
    }
  }
}

function readValue(reader: Reader): Value | string {
  skipSpace(reader);
  const { text, at } = reader;
  if (text[at] === '"') return readQuoted(reader);
  const next = separatorAfter(text, at)?.index ?? text.length;
  const bare = text.slice(at, next).trimEnd();
  if (bare === '') {
    const token = text[at] ?? 'the end';
    return problem(reader, at, token, 'a value was expected; "" is the empty text');
  }
  const quote = bare.indexOf('"');
  if (quote >= 0) {
    return problem(reader, at + quote, '"', 'stands inside a bare value: quote the whole value');
  }
  reader.at = at + bare.length;
  return { text: bare, at, quoted: false };
}

function readQuoted(reader: Reader): Value | string {
  const { text, at } = reader;
  let value = '';
  for (let place = at + 1; place < text.length; place++) {
    const character = text[place]!;
    if (character === '"') {
      reader.at = place + 1;
      return { text: value, at, quoted: true };
    }
    if (character !== '\\') {
      value += character;
      continue;
    }
    place++;
    const escaped = text[place];
    if (escaped !== '"' && escaped !== '\\') {
      return problem(reader, place - 1, `\\${escaped ?? ''}`, 'only \\" and \\\\ are escapes');
    }
    value += escaped;
  }
  return problem(reader, at, '"', 'the quotation has no end');
}

/** @returns true at the end, false after a separator, or a message. */
function readSeparator(reader: Reader): boolean | string {
  skipSpaceBefore(reader);
  if (reader.at === reader.text.length) return true;
  const match = separatorAfter(reader.text, reader.at);
  if (match === null || match.index !== reader.at) {
    skipSpace(reader);
    const token = /^\S+/.exec(reader.text.slice(reader.at))?.[0] ?? '';
    return problem(reader, reader.at, token, 'a separator, "," or " AND ", was expected');
  }
  reader.at += match[0].length;
  return false;
}

function separatorAfter(text: string, at: number): RegExpExecArray | null {
  const separator = /[ \t]*,|[ \t]+AND(?=[ \t])/g;
  separator.lastIndex = at;
  return separator.exec(text);
}

function skipSpace(reader: Reader): void {
  while (isSpace(reader.text[reader.at])) reader.at++;
}

/** Skips trailing spaces. Spaces before AND are part of the separator. */
function skipSpaceBefore(reader: Reader): void {
  if (reader.text.slice(reader.at).trim() === '') reader.at = reader.text.length;
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function problem(reader: Reader, at: number, token: string, what: string): string {
  const position = [...reader.text.slice(0, at)].length + 1;
  return `${JSON.stringify(token)} at position ${position}: ${what}`;
}

function printTerm(term: FilterTerm): string {
  switch (term.field) {
    case 'any':
      return quoteWhereNeeded(term.text, beginsLikeTerm);
    case 'title':
    case 'description':
      return `${term.field}${term.operator === 'contains' ? ':' : term.operator}${quoteWhereNeeded(term.text)}`;
    case 'status':
      return `status${term.operator === 'in' ? ':' : term.operator}${term.statuses.join('|')}`;
    case 'id':
    case 'assigneeID':
      return `${term.field}${term.operator === 'in' ? ':' : term.operator}${term.numbers.join('|')}`;
    case 'createdAt':
    case 'updatedAt':
      return `${term.field}${term.operator}${term.time}`;
  }
}

const needsQuotes = /^$|^\s|\s$|[",]|\sAND(\s|$)/;
const beginsLikeTerm = /^AND(\s|$)|^[A-Za-z_][A-Za-z0-9_]*[ \t]*[!<>=:]/;

function quoteWhereNeeded(text: string, alsoWhere?: RegExp): string {
  if (!needsQuotes.test(text) && alsoWhere?.test(text) !== true) return text;
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
