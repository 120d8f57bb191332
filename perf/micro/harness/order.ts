/** The order of a round. */
import { createRandom } from '../../seed/random.ts';

/**
 * Another order in each round, so that no benchmark always runs after the same other one. The same
 * orders for the same seed, so that two runs differ only in the code.
 * @param seed `null` keeps the order.
 */
export function orderOf<Item>(items: readonly Item[], seed: number | null, round: number): Item[] {
  const order = [...items];
  if (seed === null) return order;
  const random = createRandom(seed * 1_000_003 + round);
  for (let place = order.length - 1; place > 0; place--) {
    const other = random.integer(0, place);
    [order[place], order[other]] = [order[other]!, order[place]!];
  }
  return order;
}
