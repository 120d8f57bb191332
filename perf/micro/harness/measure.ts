/** Measures one benchmark, with as many operations as Go would choose. */
import { type Benchmark, kept } from './benchmark.ts';
import type { Benchtime } from './flags.ts';
import { collectGarbage, startHeapMeter } from './heap.ts';

export interface Measurement {
  readonly operations: number;
  readonly nanoseconds: number;
  /** Bytes on V8's heap, of all operations. */
  readonly bytes: number;
}

/**
 * Runs with more and more operations until one run takes the requested time; that run counts. The
 * shorter runs warm the code up.
 */
export async function measure(
  benchmark: Benchmark,
  benchtime: Benchtime,
  signal: AbortSignal,
): Promise<Measurement> {
  let last = await runOnce(benchmark, 1, signal);
  if (benchtime.unit === 'operations') {
    return benchtime.value === 1 ? last : runOnce(benchmark, benchtime.value, signal);
  }
  while (last.nanoseconds < benchtime.value && last.operations < operationsMax) {
    last = await runOnce(benchmark, nextOperations(last, benchtime.value), signal);
  }
  return last;
}

const operationsMax = 1e9;

/**
 * As in Go's package testing: a fifth more than the time needs, at most a hundred times the
 * previous number, because a first run is unreliable, and at least one more.
 */
export function nextOperations(
  last: Pick<Measurement, 'operations' | 'nanoseconds'>,
  goalNanoseconds: number,
): number {
  const needed = Math.floor(
    (goalNanoseconds * last.operations) / Math.max(1, Math.floor(last.nanoseconds)),
  );
  const generous = needed + Math.floor(needed / 5);
  const bounded = Math.max(Math.min(generous, last.operations * 100), last.operations + 1);
  return Math.min(bounded, operationsMax);
}

async function runOnce(
  benchmark: Benchmark,
  operations: number,
  signal: AbortSignal,
): Promise<Measurement> {
  signal.throwIfAborted();
  const timed = await benchmark.prepare(operations);
  collectGarbage();
  const heap = startHeapMeter();
  const began = process.hrtime.bigint();
  const result = timed();
  // A synchronous result is not awaited: the await would be measured.
  kept.value = result instanceof Promise ? await result : result;
  const ended = process.hrtime.bigint();
  return { operations, bytes: heap.stop(), nanoseconds: Number(ended - began) };
}
