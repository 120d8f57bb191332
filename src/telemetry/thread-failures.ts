/** Logs failures of worker threads, within a limit when each replacement fails at once. */
import { describeError, type Logger } from './log.ts';

/** The interval in which the same failure is logged once. */
const quietMs = 10_000;

/** @returns a function to call with each failure. */
export function createThreadFailureLog(log: Logger): (error: Error) => void {
  const toldAt = new Map<string, number>();

  return function add(error) {
    const now = performance.now();
    const name = String((error as NodeJS.ErrnoException).code ?? error.message);
    const isNew = now - (toldAt.get(name) ?? Number.NEGATIVE_INFINITY) >= quietMs;
    for (const [known, at] of toldAt) if (now - at >= quietMs) toldAt.delete(known);
    if (isNew) toldAt.set(name, now);
    log[isNew ? 'error' : 'debug']('a worker thread failed', describeError(error));
  };
}
