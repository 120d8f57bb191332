/**
 * Tracks failures of one kind. Requests react to the first failure (node.ts). The log waits: on a
 * busy machine a single reply may be late.
 *
 *   calm ──a failure──▸ trouble ──several, for some time──▸ lasting ──none for a while──▸ calm
 */
import type { Reason } from './reasons.ts';

export interface Trouble {
  fail(reason: Reason): void;
  /** @param isReal true for a request, false for a probe: a probe may pass while requests fail. */
  succeed(isReal: boolean): void;
  /** The reason; `undefined`: there was a success, and no failure for a while. */
  current(): Reason | undefined;
  /** Worth a log line: it lasts, or cannot pass by itself. */
  isLasting(): boolean;
}

const failuresMin = 3;
const lastingMs = 2000;

/** @param quietMs the trouble is over after this long without a failure. @param now monotonic. */
export function createTrouble(quietMs: number, now: () => number): Trouble {
  let reason: Reason | undefined;
  let failures = 0;
  let firstAt = 0;
  let lastAt = 0;
  let lasts = false;
  /** There was a success after the last failure. */
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
    // The end of a connection explains less than its cause does.
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
