/**
 * Background work and its failures. The log reports the first failure and the recovery; the metrics
 * count the rest.
 *
 *   works ──a failure of the work──▸ fails ──a success──▸ works
 *
 * Failures while the database is down do not count: the database watch reports those.
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
  /** Never rejects. @returns `undefined` after a failure. */
  attempt<Result>(run: () => Promise<Result>): Promise<Result | undefined>;
}

export interface Background {
  /** @param name in the metrics and the log. */
  work(name: string): Work;
  states(): readonly WorkState[];
}

/** @param isAway whether an error means that the database is down. */
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
          if (state.isFailing) log.info('background work has recovered', { work: name });
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
