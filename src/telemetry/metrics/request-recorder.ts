/** Counts responses. On the hot path: three additions, and sometimes a write. */
import {
  latencyBounds,
  otherMethod,
  type RequestSlots,
  unmatchedRoute,
} from './front-end-layout.ts';
import { observe } from './layout.ts';
import type { MetricStore } from './store.ts';

export interface RequestRecorder {
  /** The first slot for a route and method. @param route a path of the endpoints. */
  seriesOf(route: string, method: string): number;
  /** The first slot for a request without a route. */
  unmatched(method: string): number;
  answered(series: number, status: number, seconds: number): void;
  aborted(series: number): void;
}

export function createRequestRecorder(slots: RequestSlots, store: MetricStore): RequestRecorder {
  const { numbers } = store;
  const byRoute = new Map<string, Map<string, number>>();

  function seriesOf(route: string, method: string): number {
    const known = byRoute.get(route)?.get(method);
    if (known !== undefined) return known;
    const series = slots.at(route, method);
    // An unknown method is not cached: there are too many of them.
    if (series === undefined) return slots.at(route, otherMethod)!;
    const byMethod = byRoute.get(route) ?? new Map<string, number>();
    byRoute.set(route, byMethod.set(method, series));
    return series;
  }

  return {
    seriesOf,
    unmatched: (method) => seriesOf(unmatchedRoute, method),
    answered(series, status, seconds) {
      numbers[series + (slots.statuses.get(status) ?? slots.otherStatus)]!++;
      observe(numbers, series + slots.latency, latencyBounds, seconds);
      store.touch(series, series + slots.count);
    },
    aborted(series) {
      numbers[series + slots.aborted]!++;
      store.touch(series, series + slots.count);
    },
  };
}
