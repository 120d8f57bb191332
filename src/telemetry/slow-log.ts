/** Requests that took long, as many of them as a log can bear. */
import type { Logger } from './log.ts';

/** Where the time of a request went, in milliseconds. What did not happen is 0. */
export interface Stages {
  /** From its last byte until its batch went out; all of it for what the cache has answered. */
  readonly queueMs: number;
  /**
   * The rest until the last statement ended: the way to a worker thread and the wait for it, decoding,
   * the wait for a connection, pauses between tries.
   */
  readonly dispatchMs: number;
  /** In which the database worked for its batch, the network included. */
  readonly statementMs: number;
  /** From the last statement's end until the answer was written: encoding, the way back. */
  readonly replyMs: number;
  readonly totalMs: number;
}

export interface SlowRequest extends Stages {
  readonly requestId: string;
  /** Of the trace that the client has begun; not there: it has not. */
  readonly traceId?: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
}

export interface SlowLog {
  add(request: SlowRequest): void;
  /** Writes what is still to be told. */
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
