/** From the terms of a filter to SQL: which terms there are decides the text, values are parameters. */
import type { FilterTerm } from '../src/contract/filter.ts';
import { readNumber } from '../src/contract/filter.ts';
import { statuses } from '../src/contract/task.ts';
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

/** A text this short has no trigram that the index could look for. */
const indexedTextMinCharacters = 3;

/**
 * @param textByIndex false keeps the planner from the trigram index, which for a frequent word
 *   reads far more than a page needs. It cannot know: its statistics are of whole texts.
 * @returns an expression for WHERE; empty when there is no term.
 */
export function conditionsOf(
  terms: readonly FilterTerm[],
  parameters: Parameters,
  textByIndex: boolean,
): string {
  return terms.map((term) => conditionOf(term, parameters, textByIndex)).join(' AND ');
}

/** Whether a term looks into texts. */
export function searchesText(term: FilterTerm): boolean {
  if (term.field === 'any' || term.field === 'description') return true;
  return term.field === 'title' && term.operator === 'contains';
}

function conditionOf(term: FilterTerm, { add }: Parameters, textByIndex: boolean): string {
  switch (term.field) {
    case 'title':
      if (term.operator === 'contains') return contains('title', term.text);
      return `${titleByCodePoint} ${sqlOperator(term.operator)} ${add(term.text, 'text')}`;
    case 'description':
      if (term.operator === 'contains') return contains('description', term.text);
      return `${column('description', term.text)} ${sqlOperator(term.operator)} ${add(term.text, 'text')}`;
    case 'status':
      if (term.operator === 'in') return `status = ANY(${add(textArray(term.statuses), 'text[]')})`;
      // Five words that come from a fixed list: the planner knows how frequent each is.
      return `status ${sqlOperator(term.operator)} '${term.statuses[0]}'`;
    case 'id':
    case 'assigneeID': {
      const name = term.field === 'id' ? 'id' : 'assignee_id';
      if (term.operator === 'in')
        return `${name} = ANY(${add(bigintArray(term.numbers), 'bigint[]')})`;
      return `${name} ${sqlOperator(term.operator)} ${add(term.numbers[0], 'bigint')}`;
    }
    case 'createdAt':
    case 'updatedAt': {
      const name = term.field === 'createdAt' ? 'created_at' : 'updated_at';
      return `${name} ${sqlOperator(term.operator)} ${add(term.time, 'timestamptz')}`;
    }
    case 'any':
      return anyField(term.text);
  }

  function contains(name: string, text: string): string {
    return `${column(name, text)} ILIKE ${add(containsPattern(text), 'text')}`;
  }

  function anyField(text: string): string {
    const pattern = add(containsPattern(text), 'text');
    const either = ['title', 'description'].map((name) => `${column(name, text)} ILIKE ${pattern}`);
    if ((statuses as readonly string[]).includes(text)) either.push(`status = '${text}'`);
    const number = readNumber(text);
    if (number !== undefined) {
      const place = add(number, 'bigint');
      either.push(`id = ${place}`, `assignee_id = ${place}`);
    }
    return `(${either.join(' OR ')})`;
  }

  /** An expression instead of a column has no index. */
  function column(name: string, text: string): string {
    const indexed = textByIndex && [...text].length >= indexedTextMinCharacters;
    return indexed ? name : `(${name} || '')`;
  }
}

/** Every character stands for itself (manual, "LIKE"). */
function containsPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function sqlOperator(operator: '=' | '!=' | '<' | '<=' | '>' | '>='): string {
  return operator === '!=' ? '<>' : operator;
}
