/**
 * Remembers for some seconds the tasks that alone exceeded the time limit, so that a retry does not
 * delay its whole batch again. Bounded: beyond that the oldest are dropped.
 */
export interface LateRows {
  has(id: number): boolean;
  add(id: number): void;
  remove(id: number): void;
}

const keptMs = 10_000;
const rowsMax = 1000;

export function createLateRows(now: () => number = () => performance.now()): LateRows {
  /** End times by id, in ascending order. */
  const until = new Map<number, number>();

  function has(id: number): boolean {
    // The common case: no late task.
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
