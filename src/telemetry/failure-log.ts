/**
 * Logs failed requests within a limit: the first few of each second as single lines, the rest as
 * counts. An outage under load must not fill the disk. Bugs have a separate limit, so that an
 * outage cannot hide one.
 */
import type { Logger } from './log.ts';
import type { Stages } from './slow-log.ts';

export interface FailedRequest {
  readonly requestId: string;
  /** The trace id from the client; absent without a trace. */
  readonly traceId?: string;
  readonly method: string;
  readonly route: string;
  readonly code: string;
  /** An SQLSTATE, the driver's code, or a fixed sentence; never a value. */
  readonly cause: string;
  readonly stages: Stages;
}

export interface FailureLog {
  /** @param isBug logs an error instead of a warning. */
  add(failure: FailedRequest, isBug: boolean): void;
  /** Logs the remaining counts. */
  close(): void;
}

const windowMs = 1000;
const linesPerWindow = 10;
/** The most causes with a name; further causes share one count. */
const causesMax = 20;

export function createFailureLog(log: Logger): FailureLog {
  let lines = { bugs: 0, others: 0 };
  let counts = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  function add({ stages, ...failure }: FailedRequest, isBug: boolean): void {
    timer ??= setTimeout(endWindow, windowMs).unref();
    const which = isBug ? 'bugs' : 'others';
    if (lines[which] < linesPerWindow) {
      lines[which]++;
      log[isBug ? 'error' : 'warn']('a request failed', { ...failure, ...stages });
      return;
    }
    log.debug('a request failed', { ...failure });
    const name = `${failure.code} ${failure.cause}`;
    const counted = counts.has(name) || counts.size < causesMax ? name : 'other';
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }

  function endWindow(): void {
    timer = undefined;
    lines = { bugs: 0, others: 0 };
    if (counts.size === 0) return;
    log.warn('more requests failed', Object.fromEntries(counts));
    counts = new Map();
  }

  function close(): void {
    clearTimeout(timer);
    endWindow();
  }

  return { add, close };
}
