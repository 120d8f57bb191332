/**
 * How long the database works for a batch. The waits for a connection and for earlier statements on
 * it are excluded; the network's latency is included.
 */
export interface StatementClock {
  /** Milliseconds, the sum over all transactions. */
  busyMs: number;
  /** When the last transaction ended, by `performance.now()`; 0: none has ended. */
  endedAt: number;
}

/** The result of a clock, for one batch. */
export interface StatementTiming {
  /** Microseconds, the sum over all statements; 0: the batch needed none. */
  readonly statementUs: number;
  /**
   * When the last statement ended, in milliseconds of this thread's `performance.now()`. For a
   * batch without statements: when it was done.
   */
  readonly endedAt: number;
}

export function createStatementClock(): StatementClock {
  return { busyMs: 0, endedAt: 0 };
}
