/** From the terms of a filter to SQL: which terms there are decides the text, values are parameters. */
import type { FilterTerm } from '../contract/filter.ts';
import { isStatus, readNumber, timestampOf } from '../contract/values.ts';
import { bigintArray, textArray } from './arrays.ts';

/** Collects the values of one statement and names their places. */
export interface Parameters {
  readonly values: readonly string[];
  /** @returns the placeholder, such as `$3::bigint`. */
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
 * Titles are compared and sorted by code point, the same on every server whatever its locale; the
 * index tasks_title_id is made so.
 */
export const titleByCodePoint = 'title COLLATE "C"';

/**
 * As the table lies: the settings of lanes.ts forbid to read all of a table, and the way through its
 * key takes longer.
 */
const queuedIds = `SELECT id FROM tasks_unindexed WHERE ctid >= '(0,0)'`;

/** A shorter text has no trigram that the index could look for. */
const indexedTextMinCharacters = 3;

/**
 * @param byIndex whether an index may find what the term asks for; otherwise it is only looked at.
 * @returns an expression for WHERE; empty when there is no term.
 */
export function conditionsOf(
  terms: readonly FilterTerm[],
  parameters: Parameters,
  byIndex: (term: FilterTerm) => boolean,
): string {
  return terms.map((term) => conditionOf(term, parameters, byIndex(term))).join(' AND ');
}

/**
 * Finds the tasks that terms ask for, where the index of texts can: those whose texts the index has,
 * those that are not in it yet, and those that another field matches. All tasks that match are among
 * them, and others, so each has to be looked at.
 * @param rarest the term with the fewest hits, where that is known.
 * @param most no more tasks that match than this are needed.
 * @returns a query for ids, some more than once; `undefined` when no text can be looked up, or another
 *   index finds fewer tasks.
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

/** Whether some index can find what a term asks for. */
export function isIndexed(term: FilterTerm): boolean {
  if (searchesText(term)) return isTextIndexed(term);
  return term.field !== 'any' && term.operator !== '!=';
}

/** Whether a term looks into texts. */
export function searchesText(term: FilterTerm): boolean {
  if (term.field === 'any' || term.field === 'description') return true;
  return term.field === 'title' && term.operator === 'contains';
}

/**
 * Whatever the index has of a task that is not in the queue is what the task has. So of these at least
 * so many match. OFFSET 0 hides the LIMIT, for which the planner would do without the index.
 */
function upTo(most: number, found: string): string {
  const limit = `${most} + (SELECT count(*) FROM (${queuedIds}) AS queued)`;
  return `(SELECT id FROM (${found} OFFSET 0) AS found LIMIT ${limit})`;
}

/** The index holds folded texts, so for a text that is to be equal it finds others, too. */
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
 * Terms of texts alone are looked up together. Of those that other fields may match as well, just
 * one: whatever matches it is in the union, but not what matches both.
 */
function termsLookedUp(
  indexed: readonly FilterTerm[],
  rarest: FilterTerm | undefined,
): readonly FilterTerm[] {
  if (rarest !== undefined && matchesOthers(rarest)) return [rarest];
  const alone = indexed.filter((term) => !matchesOthers(term));
  return alone.length > 0 ? alone : indexed.slice(0, 1);
}

/** Of a row of tasks_texts, whose texts are folded. */
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

/** What a text that any field may match is compared with besides texts: a condition for each. */
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
      // Five words that come from a fixed list: the planner knows how frequent each is.
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

  /** An expression instead of a column has no index. */
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
 * Without case, composed: migration 030 says how. Each search is planned for its own values, so a
 * pattern is folded once, by the planner. By code point, so that no locale has a say in the comparison.
 */
function folded(text: string): string {
  return `tasks_fold(${text}) COLLATE "C"`;
}

/** Every character stands for itself (manual, "LIKE"), and folding leaves all that is special here. */
function containsPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function sqlOperator(operator: '=' | '!=' | '<' | '<=' | '>' | '>='): string {
  return operator === '!=' ? '<>' : operator;
}
