/** How the tasks of a list are found: what follows FROM, and the conditions behind it. */
import type { FilterTerm } from '../contract/filter.ts';
import type { ListQuery } from '../contract/list-query.ts';
import { candidatesOf, conditionsOf, type Parameters } from './filter-conditions.ts';
import { type SearchPlan, walkedTerm } from './search-plans.ts';
import { columnsBesideId, taskColumns } from './task-fields.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
}

export const always = (): boolean => true;
export const never = (): boolean => false;

/** What is gathered for the page is there to be counted, to its end and for nothing. */
export function gathersOnce(plan: SearchPlan): boolean {
  return plan.page === 'gather' && plan.count === 'gather';
}

export function sharedOf(query: ListQuery, parameters: Parameters, plan: SearchPlan): string {
  if (!gathersOnce(plan)) return '';
  const conditions = gatheringConditions(query, parameters, plan);
  return `WITH gathered AS MATERIALIZED (SELECT ${taskColumns} FROM tasks ${where(conditions)})`;
}

/**
 * Where the index of texts finds the tasks, it alone does: their ids are an array, so that the planner
 * sees but the primary key, and does not compare the array with each task of some other index.
 */
export function gatheringConditions(
  { terms }: ListQuery,
  parameters: Parameters,
  { rarest }: SearchPlan,
  most?: number,
): string {
  const known = rarest === undefined ? undefined : terms[rarest];
  const candidates = candidatesOf(terms, parameters, known, most);
  if (candidates === undefined) return conditionsOf(terms, parameters, always);
  return `id = ANY (ARRAY(${candidates})) AND ${conditionsOf(terms, parameters, never)}`;
}

/**
 * What follows FROM, to find tasks. To gather them, the planner must not see the LIMIT behind, or it
 * would hope to be done soon by walking, and walk over the whole table for what is rarer than it
 * thinks: OFFSET 0 hides one from the other. To walk, it must see no other index.
 */
export function findAll(
  columns: string,
  query: ListQuery,
  parameters: Parameters,
  plan: SearchPlan,
  way: SearchPlan['page'],
  most?: number,
): string {
  const walked = walkedTerm(query);
  if (way === 'walk' && walked !== undefined) {
    return `(SELECT ${columns} FROM ${walkOf(query, walked, parameters)}) AS found`;
  }
  if (way === 'gather') {
    const conditions = gatheringConditions(query, parameters, plan, most);
    return `(SELECT ${columns} FROM tasks ${where(conditions)} OFFSET 0) AS found`;
  }
  const byIndex = (term: FilterTerm): boolean => way !== 'walk' || term.field === query.order.field;
  const conditions = conditionsOf(query.terms, parameters, byIndex);
  return `(SELECT ${columns} FROM tasks ${where(conditions)}) AS found`;
}

/**
 * Ids from the index of the walked term alone, in their order, then task by task: the planner would
 * rather take another index in the same order, or all tasks of the term at once.
 */
export function walkOf(
  query: ListQuery,
  walked: FilterTerm,
  parameters: Parameters,
  limit = '',
): string {
  const among = conditionsOf([walked], parameters, always);
  const others = query.terms.filter((term) => term !== walked);
  return `(SELECT id FROM tasks WHERE ${among} ${limit}) AS place,
    LATERAL (SELECT ${columnsBesideId} FROM tasks WHERE tasks.id = place.id OFFSET 0) AS task
    ${where(conditionsOf(others, parameters, never))}`;
}

export function where(...conditions: readonly string[]): string {
  const given = conditions.filter((condition) => condition !== '');
  return given.length === 0 ? '' : `WHERE ${given.join(' AND ')}`;
}
