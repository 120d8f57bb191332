/**
 * How many bytes of V8's heap a piece of work has allocated: how much fuller the heap is
 * afterwards, and what every collection in between has freed. V8 counts to the byte where objects
 * begin and to a page where they move to when they get old, so a few operations are a rough figure
 * and many are an exact one. Of this thread; what lies outside of the heap (the bytes of an
 * ArrayBuffer, memory of native code) is not in it.
 */
import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface HeapMeter {
  /** @returns the bytes that were allocated since the meter was started. */
  stop(): number;
}

export function startHeapMeter(): HeapMeter {
  const collections = new GCProfiler();
  collections.start();
  const before = getHeapStatistics().used_heap_size;

  function stop(): number {
    const after = getHeapStatistics().used_heap_size;
    let bytes = after - before;
    for (const { beforeGC, afterGC } of collections.stop()?.statistics ?? []) {
      bytes += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
    }
    return Math.max(0, bytes);
  }

  return { stop };
}

// Beside the option there is no other way to a collection of everything.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** So that each measurement begins with an empty nursery, whatever ran before. */
export function collectGarbage(): void {
  collect();
}
