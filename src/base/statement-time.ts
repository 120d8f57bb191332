/**
 * How long the database works for somebody's statements. The wait for a connection is not part of it,
 * nor that for statements that are before them on the connection; the way over the network is.
 */
export interface StatementClock {
  /** Milliseconds, of all transactions together. */
  busyMs: number;
  /** When the last of them ended, by `performance.now()`; 0: none has. */
  endedAt: number;
}

/** What a clock has shown in the end, for a batch. */
export interface StatementTiming {
  /** Microseconds, of all its statements together; 0: it needed none. */
  readonly statementUs: number;
  /**
   * When the last of them ended, in milliseconds of this thread's `performance.now()`. Of a batch
   * that needed none: when that was known.
   */
  readonly endedAt: number;
}

export function createStatementClock(): StatementClock {
  return { busyMs: 0, endedAt: 0 };
}
