/**
 * Chooses how to read a search. Two ways:
 *
 *   gather   indexes find all matches, then sort and cut the page: best for few matches
 *   walk     follow the sort order and check each task until the page is full: best for many
 *
 * Each is very slow for the other's case, and PostgreSQL cannot choose: its statistics have no
 * words, and do not know that recent tasks have the highest ids. So a sample of tasks decides. ADR
 * 3 has the measurements behind the thresholds.
 */

import type { StatementClock } from '../base/statement-time.ts';
import type { FilterTerm } from '../contract/filter.ts';
import { lookedAtMax } from '../contract/limits.ts';
import type { ListQuery } from '../contract/list-query.ts';
import { isIndexed, searchesText } from './filter-conditions.ts';

export interface SearchPlan {
  /** `planner`: few tasks or only one way; PostgreSQL chooses. */
  readonly page: 'gather' | 'walk' | 'planner';
  readonly count: 'gather' | 'walk' | 'planner';
  /**
   * The index of the term with the fewest matches among those that an index can find: its index
   * gathers the tasks. If unknown, the text index is used.
   */
  readonly rarest?: number;
}

/** The matches in each of several runs of tasks, spread over all ids in ascending order. */
export interface TaskSample {
  readonly hits: readonly number[];
  /** The matches of each single term except the walked one, in all runs. */
  readonly termHits: readonly number[];
  /** The tasks that were read, in all runs. */
  readonly tasks: number;
  /** The tasks of the walked term, up to lookedAtMax; 0 without one. */
  readonly walkedTasks: number;
}

export interface SearchPlans {
  /** @param clock times the sample, if one is taken. Rejects as the sample does. */
  planFor(query: ListQuery, clock: StatementClock): Promise<SearchPlan>;
  /** Called with each list's number of all tasks. */
  observe(tableTotal: number): void;
}

/** With fewer tasks every plan is fast. */
const sampledTasksMin = 20_000;
/** Walk for a page from about three matches in four thousand tasks. */
const pageWalkShareMin = 0.00075;
/** One index gathers for a count if it returns fewer tasks than this: as many as a walk reads. */
const gatheredTasksMax = lookedAtMax;
/** The accepted chance that matches only seem to be at the far end of the order. */
const chanceMin = 0.01;
/** Frequencies change slowly. */
const rememberedMs = 5 * 60_000;
const rememberedMax = 1000;

export const leaveToPlanner: SearchPlan = { page: 'planner', count: 'planner' };

export function createSearchPlans(
  sample: (query: ListQuery, clock: StatementClock) => Promise<TaskSample>,
  now: () => number = () => performance.now(),
): SearchPlans {
  let tableTotal = 0;
  const remembered = new Map<string, { readonly sample: TaskSample; readonly until: number }>();

  async function planFor(query: ListQuery, clock: StatementClock): Promise<SearchPlan> {
    if (query.terms.length === 0) return leaveToPlanner;
    const hasText = query.terms.some(searchesText);
    if (tableTotal < sampledTasksMin) {
      return hasText ? { page: 'gather', count: 'gather' } : leaveToPlanner;
    }
    const taken = await sampleOf(query, clock);
    const { hits, termHits, tasks } = taken;
    const share = tasks === 0 ? 0 : sum(hits) / tasks;
    const rarest = tasks === 0 ? 0 : Math.min(...termHits) / tasks;
    const walks = share >= pageWalkShareMin && startsSoon(query, hits);
    return {
      page: walks ? 'walk' : 'gather',
      // Without texts, an index alone can count.
      count: !hasText ? 'planner' : rarest * tableTotal < gatheredTasksMax ? 'gather' : 'walk',
      ...rarestTerm(query, taken, tableTotal),
    };
  }

  async function sampleOf(query: ListQuery, clock: StatementClock): Promise<TaskSample> {
    const key = JSON.stringify([query.terms, query.order.field === 'id']);
    const known = remembered.get(key);
    if (known !== undefined && known.until > now()) return known.sample;
    const taken = await sample(query, clock);
    remembered.delete(key);
    if (remembered.size === rememberedMax) remembered.delete(remembered.keys().next().value!);
    remembered.set(key, { sample: taken, until: now() + rememberedMs });
    return taken;
  }

  return {
    planFor,
    observe(total) {
      tableTotal = total;
    },
  };
}

/**
 * Whether a walk meets matches soon. The sample knows the order, because tasks are created in order
 * of id. For evenly spread matches, the chance that all come after the first run with a match is
 * (share of runs after it) ^ matches.
 */
function startsSoon({ order }: ListQuery, hits: readonly number[]): boolean {
  if (order.field !== 'id' && order.field !== 'createdAt') return true;
  const inOrder = order.descending ? hits.toReversed() : hits;
  const first = inOrder.findIndex((count) => count > 0);
  return (1 - first / hits.length) ** sum(hits) >= chanceMin;
}

/** Of two equally rare terms, the first. */
function rarestTerm(
  query: ListQuery,
  { termHits, tasks, walkedTasks }: TaskSample,
  tableTotal: number,
): Pick<SearchPlan, 'rarest'> {
  const walked = walkedTerm(query);
  const others = query.terms.filter((term) => term !== walked);
  let rarest: FilterTerm | undefined = walked;
  let fewest = walked === undefined ? Number.POSITIVE_INFINITY : walkedTasks;
  for (const [place, term] of others.entries()) {
    const hits = tasks === 0 ? 0 : (termHits[place]! / tasks) * tableTotal;
    if (!isIndexed(term) || hits >= fewest) continue;
    rarest = term;
    fewest = hits;
  }
  return rarest === undefined ? {} : { rarest: query.terms.indexOf(rarest) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The term whose index, (assignee_id, id) or (status, id), returns tasks in order of id: only those
 * tasks are read.
 */
export function walkedTerm({ terms, order }: ListQuery): FilterTerm | undefined {
  if (order.field !== 'id') return undefined;
  const equal = (field: FilterTerm['field']) =>
    terms.find((term) => term.field === field && term.field !== 'any' && term.operator === '=');
  return equal('assigneeID') ?? equal('status');
}
