/**
 * How a search is best read. Two ways:
 *
 *   gather   let indexes find all tasks that match, sort them, cut the page out: right where few match
 *   walk     follow the sort order and look at each task until the page is full: right where many do
 *
 * Each is hopeless at the other's work, and PostgreSQL cannot tell: its statistics know no words, and
 * that the tasks of last week have the highest ids. So a sample of the tasks decides. ADR 3 has the
 * figures behind the thresholds.
 */

import type { StatementClock } from '../base/statement-time.ts';
import type { FilterTerm } from '../contract/filter.ts';
import { lookedAtMax } from '../contract/limits.ts';
import type { ListQuery } from '../contract/list-query.ts';
import { isIndexed, searchesText } from './filter-conditions.ts';

export interface SearchPlan {
  /** `planner`: few tasks, or no choice; PostgreSQL decides. */
  readonly page: 'gather' | 'walk' | 'planner';
  readonly count: 'gather' | 'walk' | 'planner';
  /**
   * Which of the terms has the fewest hits, of those that an index can find: by its index tasks are
   * gathered. Where that is not known, texts are looked up.
   */
  readonly rarest?: number;
}

/** Tasks that match, in each of a number of runs that are spread over all ids, in their order. */
export interface TaskSample {
  readonly hits: readonly number[];
  /** Of each term but the walked one by itself, in all runs together. */
  readonly termHits: readonly number[];
  /** That were looked at, in all runs together. */
  readonly tasks: number;
  /** Of the walked term, up to lookedAtMax; 0 without one. */
  readonly walkedTasks: number;
}

export interface SearchPlans {
  /** @param clock times the sample, where one is taken. Rejects as that does. */
  planFor(query: ListQuery, clock: StatementClock): Promise<SearchPlan>;
  /** Told with each list: how many tasks there are. */
  observe(tableTotal: number): void;
}

/** Below this, everything is fast. */
const sampledTasksMin = 20_000;
/** A page is walked to from about three hits in four thousand tasks. */
const pageWalkShareMin = 0.00075;
/**
 * What is counted is gathered by one index, if that hands over fewer tasks than this: as many as a
 * count looks at when it walks.
 */
const gatheredTasksMax = lookedAtMax;
/** That tasks are not all at the far end of the order may be chance this often. */
const chanceMin = 0.01;
/** How frequent something is changes slowly. */
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
      // Without texts an index alone can count.
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
 * Whether a walk comes upon tasks at once, where the sample knows the order: tasks are created in
 * the order of their ids. If they were spread evenly, all of them would be behind the first run
 * with a hit with a chance of (share of runs behind it) ^ hits.
 */
function startsSoon({ order }: ListQuery, hits: readonly number[]): boolean {
  if (order.field !== 'id' && order.field !== 'createdAt') return true;
  const inOrder = order.descending ? hits.toReversed() : hits;
  const first = inOrder.findIndex((count) => count > 0);
  return (1 - first / hits.length) ** sum(hits) >= chanceMin;
}

/** Of two that are as rare in the sample, the first. */
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
 * The term by whose index, (assignee_id, id) or (status, id), tasks can be walked in the order of
 * their ids: then only those are looked at.
 */
export function walkedTerm({ terms, order }: ListQuery): FilterTerm | undefined {
  if (order.field !== 'id') return undefined;
  const equal = (field: FilterTerm['field']) =>
    terms.find((term) => term.field === field && term.field !== 'any' && term.operator === '=');
  return equal('assigneeID') ?? equal('status');
}
