/**
 * Work that goes on behind the requests, and what becomes of it. A failure is a warning once, and its
 * end is told once; the metrics have the rest.
 *
 *   works ──a failure that is its own──▸ fails ──a success──▸ works
 *
 * While the database is away nothing can work. Others say so, and nothing changes here.
 */
import { describeError, type Logger } from './log.ts';

export interface WorkState {
  readonly name: string;
  /** Since the start. */
  readonly failures: number;
  /** The last attempt failed. */
  readonly isFailing: boolean;
}

export interface Work {
  /** Never rejects. @returns `undefined` when it failed. */
  attempt<Result>(run: () => Promise<Result>): Promise<Result | undefined>;
}

export interface Background {
  /** @param name for metrics and the log. */
  work(name: string): Work;
  states(): readonly WorkState[];
}

/** @param isAway tells a database that is away from a failure of the work. */
export function createBackground(log: Logger, isAway: (error: unknown) => boolean): Background {
  const all: { name: string; failures: number; isFailing: boolean }[] = [];

  function work(name: string): Work {
    const state = { name, failures: 0, isFailing: false };
    all.push(state);

    function fail(error: unknown): void {
      log.debug('background work failed', { work: name, ...describeError(error) });
      if (isAway(error)) return;
      state.failures++;
      if (state.isFailing) return;
      state.isFailing = true;
      const { code, error: message } = describeError(error);
      log.warn('background work fails, and is tried again', { work: name, code, reason: message });
    }

    return {
      async attempt(run) {
        try {
          const result = await run();
          if (state.isFailing) log.info('background work goes on', { work: name });
          state.isFailing = false;
          return result;
        } catch (error) {
          fail(error);
          return undefined;
        }
      },
    };
  }

  return { work, states: () => all };
}
