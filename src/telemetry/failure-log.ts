/**
 * Requests that failed, as many of them as a log can bear: the first few of a second one by one,
 * the rest as numbers. An outage under load must not fill a disk, which would be the next fault. Bugs have
 * lines of their own: an outage must not hide one.
 */
import type { Logger } from './log.ts';
import type { Stages } from './slow-log.ts';

export interface FailedRequest {
  readonly requestId: string;
  /** Of the trace that the client has begun; not there: it has not. */
  readonly traceId?: string;
  readonly method: string;
  readonly route: string;
  readonly code: string;
  /** SQLSTATE, the driver's code or a sentence of ours; never a value. */
  readonly cause: string;
  readonly stages: Stages;
}

export interface FailureLog {
  /** @param isBug is said as an error, otherwise as a warning. */
  add(failure: FailedRequest, isBug: boolean): void;
  /** Writes what is still to be told. */
  close(): void;
}

const windowMs = 1000;
const linesPerWindow = 10;
/** Causes that are named; a further one is counted as another. */
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
