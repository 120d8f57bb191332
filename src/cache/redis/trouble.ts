/**
 * Failures of one kind, until they are over. What is used reacts at once (node.ts); what is told
 * waits, for on a busy machine an answer now and then comes late, and the next one does not.
 *
 *   calm ──a failure──▸ trouble ──several, for some time──▸ told ──no failure for a while──▸ calm
 */
import type { Reason } from './reasons.ts';

export interface Trouble {
  fail(reason: Reason): void;
  /** @param isReal of a request, not of a probe, which may pass where requests fail. */
  succeed(isReal: boolean): void;
  /** What is wrong; `undefined`: something succeeded, and nothing has failed for a while. */
  current(): Reason | undefined;
  /** That is to be told: it lasts, or cannot pass by itself. */
  isLasting(): boolean;
}

const failuresMin = 3;
const lastingMs = 2000;

/** @param quietMs without a failure, and it is over. @param now of the monotonic clock. */
export function createTrouble(quietMs: number, now: () => number): Trouble {
  let reason: Reason | undefined;
  let failures = 0;
  let firstAt = 0;
  let lastAt = 0;
  let lasts = false;
  /** Nothing has failed since. */
  let hasSucceeded = false;

  function fail(next: Reason): void {
    const before = current();
    lastAt = now();
    hasSucceeded = false;
    if (before === undefined) {
      failures = 0;
      firstAt = lastAt;
    }
    failures++;
    // That a connection is gone says less than why it is.
    if (reason === undefined || next.weight >= reason.weight) reason = next;
    lasts ||= next.isCertain || (failures >= failuresMin && lastAt - firstAt >= lastingMs);
  }

  function succeed(isReal: boolean): void {
    hasSucceeded = true;
    if (isReal && !lasts) reason = undefined;
  }

  function current(): Reason | undefined {
    if (hasSucceeded && now() - lastAt >= quietMs) {
      reason = undefined;
      lasts = false;
    }
    return reason;
  }

  return { fail, succeed, current, isLasting: () => lasts };
}
