/** The order of a round. */
import { createRandom } from '../../seed/random.ts';

/**
 * Another one in each round, so that no benchmark always runs behind the same other; the same ones
 * in each run with the same seed, so that two runs differ in the code only.
 * @param seed `null` leaves the order as it is.
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
