/** Reports each request to the metrics, to the log, and in `Server-Timing`. */
import type { ProblemCode } from '../contract/problems.ts';
import { problems } from '../contract/problems.ts';
import type { Exchange, ExchangeOptions } from '../http/exchange.ts';
import type { ResponderOptions } from '../http/responder.ts';
import { stagesOf } from '../http/stages.ts';
import { traceIdOf } from '../http/trace-context.ts';
import type { FrontEndOptions } from '../ipc/front-end-options.ts';
import type { DatabaseWatch } from '../telemetry/database-watch.ts';
import { createFailureLog } from '../telemetry/failure-log.ts';
import type { Logger } from '../telemetry/log.ts';
import { adminRoute } from '../telemetry/metrics/front-end-layout.ts';
import type { FrontEndMetrics } from '../telemetry/metrics/front-end-metrics.ts';
import type { RequestRecorder } from '../telemetry/metrics/request-recorder.ts';
import { createSlowLog, type Stages, serverTiming } from '../telemetry/slow-log.ts';
import type { Phase } from './phase.ts';

/** A callback that has nothing to report is `undefined`, so that requests do not pay for it. */
export interface RequestLog {
  readonly onAnswer: ResponderOptions['onAnswer'];
  readonly onAborted: ExchangeOptions['onAborted'];
  readonly moreHeaders: ResponderOptions['moreHeaders'];
  readonly onFailure: ResponderOptions['onFailure'];
  close(): void;
}

/** @param watch is notified of failures that the database may have caused. */
export function createRequestLog(
  { batching, slowRequestMs, ...options }: FrontEndOptions,
  phase: Readonly<Phase>,
  metrics: FrontEndMetrics | undefined,
  watch: DatabaseWatch,
  log: Logger,
): RequestLog {
  const slowMs = slowRequestMs === 0 ? Number.POSITIVE_INFINITY : slowRequestMs;
  const slow = createSlowLog(log);
  const failures = createFailureLog(log);

  function logFailure(exchange: Exchange, code: ProblemCode, cause: string): void {
    const { method, route } = exchange;
    const isFault = problems[code].status >= 500;
    if (isFault) metrics?.failed(code);
    const stages = stagesNow(exchange);
    const failure = { ...idsOf(exchange), method, route, code, cause, stages };
    failures.add(failure, code === 'internal');
    if (phase.isOpen && isFault && code !== 'overloaded') watch.suspect();
  }

  function arrivalOf({ deadline }: Exchange): number {
    return deadline - batching.requestTimeoutMs;
  }

  function stagesNow(exchange: Exchange): Stages {
    return stagesOf(exchange, arrivalOf(exchange), performance.now());
  }

  function seriesOf(requests: RequestRecorder, { route, method }: Exchange): number {
    return route === '' ? requests.unmatched(method) : requests.seriesOf(route, method);
  }

  function noteAnswer(exchange: Exchange, status: number): void {
    const now = performance.now();
    const milliseconds = now - arrivalOf(exchange);
    if (metrics !== undefined) {
      const { requests } = metrics;
      requests.answered(seriesOf(requests, exchange), status, milliseconds / 1000);
    }
    // The client chooses how long a profile takes.
    if (milliseconds < slowMs || exchange.route === adminRoute) return;
    const { method, route } = exchange;
    const stages = stagesOf(exchange, arrivalOf(exchange), now);
    slow.add({ ...idsOf(exchange), method, route, status, ...stages });
  }

  function noteAborted(exchange: Exchange): void {
    metrics?.requests.aborted(seriesOf(metrics.requests, exchange));
  }

  function timingHeader(exchange: Exchange): string {
    return `\r\nServer-Timing: ${serverTiming(stagesNow(exchange))}`;
  }

  return {
    onAnswer: metrics === undefined && slowRequestMs === 0 ? undefined : noteAnswer,
    onAborted: metrics === undefined ? undefined : noteAborted,
    moreHeaders: options.serverTiming ? timingHeader : undefined,
    onFailure: logFailure,
    close() {
      failures.close();
      slow.close();
    },
  };
}

/** The ids of a request: in the service's log, and in the client's traces. */
function idsOf({ requestId, traceparent }: Exchange): { requestId: string; traceId?: string } {
  const traceId = traceIdOf(traceparent);
  return traceId === undefined ? { requestId } : { requestId, traceId };
}
