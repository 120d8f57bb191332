/**
 * Measures the bytes that a piece of work allocates on V8's heap: the growth of the heap plus what
 * each collection in between freed. V8 counts new objects exactly and promoted ones by page, so few
 * operations give a rough figure and many an exact one. Only this thread's heap: the bytes of
 * ArrayBuffers and native memory are not included.
 */
import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface HeapMeter {
  /** @returns the bytes allocated since the start of the meter. */
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

// Besides the option there is no other way to force a full collection.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Each measurement starts with an empty nursery, whatever ran before. */
export function collectGarbage(): void {
  collect();
}
