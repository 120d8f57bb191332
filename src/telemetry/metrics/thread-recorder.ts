/** Records the CPU time, event loop, heap and collections of the current thread. */
import { type EventLoopUtilization, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { threadCpuNs } from '../pprof/thread-clock.ts';
import { observe } from './layout.ts';
import { collections, eventLoopDelayBounds, pauseBounds, threadSlots } from './thread-layout.ts';

export interface ThreadRecorder {
  /** Resets the gauges: the thread ends. */
  close(): void;
}

const tickMs = 100;
/** Reading the heap and the CPU clock takes some microseconds. */
const ticksPerReading = 10;

/**
 * Counters continue from the current numbers.
 * @param numbers an array of `numbersPerThread`, written only by this thread.
 */
export function recordThread(numbers: Float64Array): ThreadRecorder {
  let utilization: EventLoopUtilization = performance.eventLoopUtilization();
  let cpuNs = threadCpuNs();
  let expected = performance.now() + tickMs;
  let ticks = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = collectionKindOf(entry);
      const place = collections.findIndex((collection) => collection.kind === kind);
      if (place < 0) continue;
      const slot = threadSlots.pauses + place * (pauseBounds.length + 2);
      observe(numbers, slot, pauseBounds, entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  read();
  const timer = setInterval(tick, tickMs);
  timer.unref();

  function tick(): void {
    const now = performance.now();
    observe(numbers, threadSlots.delay, eventLoopDelayBounds, Math.max(0, now - expected) / 1000);
    expected = now + tickMs;
    if (++ticks % ticksPerReading === 0) read();
  }

  function read(): void {
    const heap = getHeapStatistics();
    numbers[threadSlots.heapUsedBytes] = heap.used_heap_size;
    numbers[threadSlots.heapTotalBytes] = heap.total_heap_size;
    numbers[threadSlots.externalBytes] = heap.external_memory;
    const now = performance.eventLoopUtilization();
    numbers[threadSlots.activeSeconds]! += Math.max(0, now.active - utilization.active) / 1000;
    utilization = now;
    const spent = threadCpuNs();
    if (spent !== null && cpuNs !== null) {
      numbers[threadSlots.cpuSeconds]! += Math.max(0, spent - cpuNs) / 1e9;
    }
    cpuNs = spent;
  }

  return {
    close() {
      clearInterval(timer);
      observer.disconnect();
    },
  };
}

/** Node's manual, "Garbage Collection ('gc') Details". */
function collectionKindOf(entry: object): unknown {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'kind' in detail
    ? detail.kind
    : undefined;
}
