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

/** Whether a term looks into texts. */
export function searchesText(term: FilterTerm): boolean {
  if (term.field === 'any' || term.field === 'description') return true;
  return term.field === 'title' && term.operator === 'contains';
}

function conditionOf(term: FilterTerm, { add }: Parameters, byIndex: boolean): string {
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
      return `${value} ${sqlOperator(term.operator)} ${add(term.time, 'timestamptz')}`;
    }
    case 'any':
      return anyField(term.text);
  }

  /** An expression instead of a column has no index. */
  function text(name: string): string {
    return byIndex ? name : `(${name} || '')`;
  }

  /** Nor has a text without a trigram. */
  function searched(name: string, part: string): string {
    return [...part].length >= indexedTextMinCharacters ? text(name) : `(${name} || '')`;
  }

  function contains(name: string, part: string): string {
    return `${searched(name, part)} ILIKE ${add(containsPattern(part), 'text')}`;
  }

  function anyField(part: string): string {
    const pattern = add(containsPattern(part), 'text');
    const either = ['title', 'description'].map(
      (name) => `${searched(name, part)} ILIKE ${pattern}`,
    );
    if ((statuses as readonly string[]).includes(part)) either.push(`status = '${part}'`);
    const number = readNumber(part);
    if (number !== undefined) {
      const place = add(number, 'bigint');
      either.push(`id = ${place}`, `assignee_id = ${place}`);
    }
    return `(${either.join(' OR ')})`;
  }
}

/** Every character stands for itself (manual, "LIKE"). */
function containsPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function sqlOperator(operator: '=' | '!=' | '<' | '<=' | '>' | '>='): string {
  return operator === '!=' ? '<>' : operator;
}
