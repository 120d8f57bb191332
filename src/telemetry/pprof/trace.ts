/**
 * Encodes the trace events of all processes as one JSON document for ui.perfetto.dev and
 * chrome://tracing.
 */
import type { Collection } from './collect.ts';

/** `go tool trace` reads another format, for which Node has no equivalent data. */
export function encodeTrace({ recordings, missing, notes }: Collection): string {
  const traceEvents = [...recordings].flatMap(([name, { pid, threads }]) => [
    ...(threads['main']?.events ?? []),
    { pid, tid: pid, ts: 0, ph: 'M', cat: '__metadata', name: 'process_name', args: { name } },
  ]);
  return JSON.stringify({ traceEvents, otherData: { missing, notes } });
}
