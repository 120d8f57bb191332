/**
 * How a list that looks into texts is best read. The trigram index finds a rare text at once, but
 * for a frequent one it hands over a great part of the table, of which a page needs twenty; there,
 * walking the sort order until the page is full is faster. PostgreSQL cannot tell the two apart,
 * as its statistics know whole texts only, so a sample of the tasks decides. perf/README.md has
 * the figures behind the two thresholds.
 */
import type { FilterTerm } from '../src/contract/filter.ts';
import { searchesText } from './conditions.ts';
import type { TextPlan } from './list-statement.ts';

export interface TextPlans {
  /** Rejects as the sample does. */
  planFor(terms: readonly FilterTerm[]): Promise<TextPlan>;
  /** Told with each list: how many tasks there are. */
  observe(tableTotal: number): void;
}

/** Below this, everything is fast. */
const sampledTasksMin = 20_000;
/** A page is walked to from about three hits in four thousand tasks. */
const pageWalkShareMin = 0.00075;
/** Counting goes on for longer than filling a page does. */
const countWalkShareMin = 0.015;
/** How frequent a text is changes slowly. */
const rememberedMs = 5 * 60_000;
const rememberedMax = 1000;

const byIndex: TextPlan = { pageByIndex: true, countByIndex: true };

/** @param sample returns the share of tasks that the terms ask for. */
export function createTextPlans(
  sample: (terms: readonly FilterTerm[]) => Promise<number>,
  now: () => number = () => performance.now(),
): TextPlans {
  let tasks = 0;
  const shares = new Map<string, { readonly share: number; readonly until: number }>();

  async function planFor(terms: readonly FilterTerm[]): Promise<TextPlan> {
    if (tasks < sampledTasksMin || !terms.some(searchesText)) return byIndex;
    const share = await shareOf(terms);
    return { pageByIndex: share < pageWalkShareMin, countByIndex: share < countWalkShareMin };
  }

  async function shareOf(terms: readonly FilterTerm[]): Promise<number> {
    const key = JSON.stringify(terms);
    const known = shares.get(key);
    if (known !== undefined && known.until > now()) return known.share;
    const share = await sample(terms);
    shares.delete(key);
    if (shares.size === rememberedMax) shares.delete(shares.keys().next().value!);
    shares.set(key, { share, until: now() + rememberedMs });
    return share;
  }

  return {
    planFor,
    observe(tableTotal) {
      tasks = tableTotal;
    },
  };
}
