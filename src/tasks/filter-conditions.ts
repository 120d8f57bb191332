/** Translates a filter to SQL. The kinds of terms decide the text; values become parameters. */
import type { FilterTerm } from '../contract/filter.ts';
import { isStatus, readNumber, timestampOf } from '../contract/values.ts';
import { bigintArray, textArray } from './arrays.ts';

/** Collects the values of a statement and names their placeholders. */
export interface Parameters {
  readonly values: readonly string[];
  /** @returns the placeholder, for example `$3::bigint`. */
  add(
    value: string | number,
    type: 'text' | 'bigint' | 'timestamptz' | 'text[]' | 'bigint[]',
  ): string;
}

export function createParameters(): Parameters {
  const values: string[] = [];
  return {
    values,
    add(value, type) {
      values.push(String(value));
      return `$${values.length}::${type}`;
    },
  };
}

/**
 * Titles compare and sort by code point, which is the same on every server. The index
 * tasks_title_id has the same collation.
 */
export const titleByCodePoint = 'title COLLATE "C"';

/**
 * Reads the table in physical order. The settings of lanes.ts forbid a sequential scan, and the
 * primary key would be slower.
 */
const queuedIds = `SELECT id FROM tasks_unindexed WHERE ctid >= '(0,0)'`;

/** A shorter text has no trigram, so the index cannot find it. */
const indexedTextMinCharacters = 3;

/**
 * @param byIndex whether the term may use an index; otherwise the term only filters rows.
 * @returns an expression for WHERE; empty without terms.
 */
export function conditionsOf(
  terms: readonly FilterTerm[],
  parameters: Parameters,
  byIndex: (term: FilterTerm) => boolean,
): string {
  return terms.map((term) => conditionOf(term, parameters, byIndex(term))).join(' AND ');
}

/**
 * Finds the candidates of terms with the text index: tasks that the index finds, tasks that it does
 * not contain yet, and tasks that match in another field. Every match is a candidate. A candidate
 * may not match, so each must be checked.
 * @param rarest the term with the fewest matches, if known.
 * @param most this many matches are enough.
 * @returns a query for ids, which may repeat; `undefined` if no text can use the index, or another
 * index finds fewer tasks.
 */
export function candidatesOf(
  terms: readonly FilterTerm[],
  parameters: Parameters,
  rarest: FilterTerm | undefined,
  most: number | undefined,
): string | undefined {
  if (rarest !== undefined && !isTextIndexed(rarest)) return undefined;
  const lookedUp = termsLookedUp(terms.filter(isTextIndexed), rarest);
  if (lookedUp.length === 0) return undefined;
  const texts = lookedUp.map((term) => textCondition(term, parameters)).join(' AND ');
  const found = `SELECT id FROM tasks_texts WHERE ${texts}`;
  const isBounded =
    most !== undefined && lookedUp.length === terms.length && lookedUp.every(asksForPart);
  const others = lookedUp.flatMap((term) => otherMatches(term, parameters));
  return [
    isBounded ? upTo(most, found) : found,
    queuedIds,
    ...others.map((other) => `SELECT id FROM tasks WHERE ${other}`),
  ].join(' UNION ALL ');
}

/** Whether an index can find the matches of a term. */
export function isIndexed(term: FilterTerm): boolean {
  if (searchesText(term)) return isTextIndexed(term);
  return term.field !== 'any' && term.operator !== '!=';
}

/** Whether a term searches texts. */
export function searchesText(term: FilterTerm): boolean {
  if (term.field === 'any' || term.field === 'description') return true;
  return term.field === 'title' && term.operator === 'contains';
}

/**
 * The index entry of a task outside the queue is current, so at least this many of the results
 * match. OFFSET 0 hides the LIMIT, which would make the planner avoid the index.
 */
function upTo(most: number, found: string): string {
  const limit = `${most} + (SELECT count(*) FROM (${queuedIds}) AS queued)`;
  return `(SELECT id FROM (${found} OFFSET 0) AS found LIMIT ${limit})`;
}

/** The index has folded texts, so for an exact match it finds more than that. */
function asksForPart(term: FilterTerm): boolean {
  return term.field === 'any' || ('operator' in term && term.operator === 'contains');
}

function isTextIndexed(term: FilterTerm): boolean {
  if (!searchesText(term) || !('text' in term)) return false;
  if (term.field !== 'any' && term.operator === '!=') return false;
  return hasTrigram(term.text);
}

function hasTrigram(text: string): boolean {
  return [...text.normalize('NFC')].length >= indexedTextMinCharacters;
}

/**
 * Terms that search only texts are looked up together. Of terms that other fields may match too,
 * only one is looked up: each task that matches all terms matches that one.
 */
function termsLookedUp(
  indexed: readonly FilterTerm[],
  rarest: FilterTerm | undefined,
): readonly FilterTerm[] {
  if (rarest !== undefined && matchesOthers(rarest)) return [rarest];
  const alone = indexed.filter((term) => !matchesOthers(term));
  return alone.length > 0 ? alone : indexed.slice(0, 1);
}

/** A condition on a row of tasks_texts, whose texts are folded. */
function textCondition(term: FilterTerm, { add }: Parameters): string {
  switch (term.field) {
    case 'any': {
      const pattern = folded(add(containsPattern(term.text), 'text'));
      return `(title LIKE ${pattern} OR description LIKE ${pattern})`;
    }
    case 'title':
    case 'description':
      return term.operator === 'contains'
        ? `${term.field} LIKE ${folded(add(containsPattern(term.text), 'text'))}`
        : `${term.field} = ${folded(add(term.text, 'text'))}`;
    default:
      throw new Error(`${term.field} is no text`);
  }
}

function matchesOthers(term: FilterTerm): boolean {
  return term.field === 'any' && (isStatus(term.text) || readNumber(term.text) !== undefined);
}

/** The conditions on other fields for a term that matches in any field. */
function otherMatches(term: FilterTerm, { add }: Parameters): string[] {
  if (term.field !== 'any') return [];
  if (isStatus(term.text)) return [`status = '${term.text}'`];
  const number = readNumber(term.text);
  if (number === undefined) return [];
  const place = add(number, 'bigint');
  return [`id = ${place}`, `assignee_id = ${place}`];
}

function conditionOf(term: FilterTerm, parameters: Parameters, byIndex: boolean): string {
  const { add } = parameters;
  switch (term.field) {
    case 'title':
      if (term.operator === 'contains') return contains('title', term.text);
      return `${text('title')} COLLATE "C" ${sqlOperator(term.operator)} ${add(term.text, 'text')}`;
    case 'description':
      if (term.operator === 'contains') return contains('description', term.text);
      return `${text('description')} ${sqlOperator(term.operator)} ${add(term.text, 'text')}`;
    case 'status':
      if (term.operator === 'in') {
        return `${text('status')} = ANY(${add(textArray(term.statuses), 'text[]')})`;
      }
      // A literal, safe because it comes from a fixed list: the planner knows each word's
      // frequency.
      return `${text('status')} ${sqlOperator(term.operator)} '${term.statuses[0]}'`;
    case 'id':
    case 'assigneeID': {
      const name = term.field === 'id' ? 'id' : 'assignee_id';
      const value = byIndex ? name : `(${name} + 0)`;
      if (term.operator === 'in') {
        return `${value} = ANY(${add(bigintArray(term.numbers), 'bigint[]')})`;
      }
      return `${value} ${sqlOperator(term.operator)} ${add(term.numbers[0], 'bigint')}`;
    }
    case 'createdAt':
    case 'updatedAt': {
      const name = term.field === 'createdAt' ? 'created_at' : 'updated_at';
      const value = byIndex ? name : `(${name} + interval '0')`;
      return `${value} ${sqlOperator(term.operator)} ${add(timestampOf(term.time), 'timestamptz')}`;
    }
    case 'any':
      return anyField(term.text);
  }

  /** No index fits an expression, so the expression keeps the planner from using one. */
  function text(name: string): string {
    return byIndex ? name : `(${name} || '')`;
  }

  function contains(name: string, part: string): string {
    return `${folded(name)} LIKE ${folded(add(containsPattern(part), 'text'))}`;
  }

  function anyField(part: string): string {
    const pattern = folded(add(containsPattern(part), 'text'));
    const texts = ['title', 'description'].map((name) => `${folded(name)} LIKE ${pattern}`);
    return `(${[...texts, ...otherMatches(term, parameters)].join(' OR ')})`;
  }
}

/**
 * Folds the text as migration 030 does: composed and without case. A search is planned for its
 * values, so the planner folds a pattern once. Comparison is by code point, independent of the
 * locale.
 */
function folded(text: string): string {
  return `tasks_fold(${text}) COLLATE "C"`;
}

/** Escapes wildcards (manual, "LIKE"). Folding does not change the escape characters. */
function containsPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function sqlOperator(operator: '=' | '!=' | '<' | '<=' | '>' | '>='): string {
  return operator === '!=' ? '<>' : operator;
}
