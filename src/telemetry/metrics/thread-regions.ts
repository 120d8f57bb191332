/**
 * The metrics of all worker threads of a process, in memory shared with the main thread. One thread
 * writes each region; the region outlives the thread.
 */
import { numbersPerThread, threadSlots } from './thread-layout.ts';

export interface ThreadRegions {
  /** An `Int32` with the id of the writing thread (0: none), then its `Float64` numbers. */
  readonly memory: SharedArrayBuffer;
  readonly count: number;
}

const ownerBytes = 8;

/** More than threads: a replacement may start before the old thread is gone. */
export function threadRegionCount(threads: number): number {
  return threads * 2;
}

export function createThreadRegions(threads: number): ThreadRegions {
  const count = threadRegionCount(threads);
  return { count, memory: new SharedArrayBuffer(count * regionBytes()) };
}

function regionBytes(): number {
  return ownerBytes + numbersPerThread * Float64Array.BYTES_PER_ELEMENT;
}

/** @param place the index of the region, from 0. */
export function threadNumbers({ memory }: ThreadRegions, place: number): Float64Array {
  return new Float64Array(memory, place * regionBytes() + ownerBytes, numbersPerThread);
}

function ownerOf({ memory }: ThreadRegions, place: number): Int32Array {
  return new Int32Array(memory, place * regionBytes(), 1);
}

/** In a worker thread: claims a free region. @returns `undefined`: none is free. */
export function claimRegion(regions: ThreadRegions, threadId: number): Float64Array | undefined {
  for (let place = 0; place < regions.count; place++) {
    if (Atomics.compareExchange(ownerOf(regions, place), 0, 0, threadId) === 0) {
      return threadNumbers(regions, place);
    }
  }
  return undefined;
}

/** In the main thread: frees the regions of threads that have ended. */
export function freeRegions(regions: ThreadRegions, living: readonly number[]): void {
  for (let place = 0; place < regions.count; place++) {
    const owner = ownerOf(regions, place);
    const threadId = Atomics.load(owner, 0);
    if (threadId === 0 || living.includes(threadId)) continue;
    const numbers = threadNumbers(regions, place);
    numbers.fill(0, threadSlots.heapUsedBytes, threadSlots.externalBytes + 1);
    Atomics.store(owner, 0, 0);
  }
}
