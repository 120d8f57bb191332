/** Logs slow requests within a limit. */
import type { Logger } from './log.ts';

/** How a request's time was spent, in milliseconds; 0 for a stage that did not occur. */
export interface Stages {
  /** From the last byte of the request until its batch was sent; everything for a cache hit. */
  readonly queueMs: number;
  /**
   * The rest until the end of the last statement: transfer to a worker thread, waiting for it,
   * decoding, waiting for a connection, delays between retries.
   */
  readonly dispatchMs: number;
  /** How long the database worked for the batch, including the network. */
  readonly statementMs: number;
  /** From the end of the last statement until the response was written: encoding and transfer. */
  readonly replyMs: number;
  readonly totalMs: number;
}

export interface SlowRequest extends Stages {
  readonly requestId: string;
  /** The trace id from the client; absent without a trace. */
  readonly traceId?: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
}

export interface SlowLog {
  add(request: SlowRequest): void;
  /** Logs the remaining counts. */
  close(): void;
}

const windowMs = 1000;
const linesPerWindow = 10;

export function createSlowLog(log: Logger): SlowLog {
  let lines = 0;
  let more = 0;
  let timer: NodeJS.Timeout | undefined;

  function endWindow(): void {
    timer = undefined;
    lines = 0;
    if (more > 0) log.warn('more requests were slow', { requests: more });
    more = 0;
  }

  return {
    add(request) {
      timer ??= setTimeout(endWindow, windowMs).unref();
      if (lines++ < linesPerWindow) log.warn('a request was slow', { ...request });
      else more++;
    },
    close() {
      clearTimeout(timer);
      endWindow();
    },
  };
}

/** The value of a Server-Timing header (W3C Server Timing). */
export function serverTiming(stages: Stages): string {
  const { queueMs, dispatchMs, statementMs, replyMs, totalMs } = stages;
  return (
    `queue;dur=${queueMs}, dispatch;dur=${dispatchMs}, statement;dur=${statementMs}, ` +
    `reply;dur=${replyMs}, total;dur=${totalMs}`
  );
}
