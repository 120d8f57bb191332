/**
 * Tasks that were late alone, for some seconds: whoever tries again must not hold everybody up again.
 * A bounded number; with more than that, the oldest are forgotten.
 */
export interface LateRows {
  has(id: number): boolean;
  add(id: number): void;
  remove(id: number): void;
}

const keptMs = 10_000;
const rowsMax = 1000;

export function createLateRows(now: () => number = () => performance.now()): LateRows {
  /** In the order of their times. */
  const until = new Map<number, number>();

  function has(id: number): boolean {
    // Mostly there is none.
    if (until.size === 0) return false;
    const end = until.get(id);
    if (end === undefined) return false;
    if (end > now()) return true;
    until.delete(id);
    return false;
  }

  function add(id: number): void {
    until.delete(id);
    until.set(id, now() + keptMs);
    if (until.size > rowsMax) until.delete(until.keys().next().value!);
  }

  return { has, add, remove: (id) => void until.delete(id) };
}
