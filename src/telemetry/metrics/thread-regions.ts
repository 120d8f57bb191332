/**
 * The numbers of all worker threads of a process, in memory that they share with its main thread.
 * Each is written by one thread only, and stays when that is replaced.
 */
import { numbersPerThread, threadSlots } from './thread-layout.ts';

export interface ThreadRegions {
  /** `Int32` number of the thread that writes, 0: nobody, and then its `Float64` numbers. */
  readonly memory: SharedArrayBuffer;
  readonly count: number;
}

const ownerBytes = 8;

/** More than there are threads: one that replaces another may come before that is gone. */
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

/** @param place from 0. */
export function threadNumbers({ memory }: ThreadRegions, place: number): Float64Array {
  return new Float64Array(memory, place * regionBytes() + ownerBytes, numbersPerThread);
}

function ownerOf({ memory }: ThreadRegions, place: number): Int32Array {
  return new Int32Array(memory, place * regionBytes(), 1);
}

/** In a worker thread: takes a region that nobody has. `undefined`: there is none. */
export function claimRegion(regions: ThreadRegions, threadId: number): Float64Array | undefined {
  for (let place = 0; place < regions.count; place++) {
    if (Atomics.compareExchange(ownerOf(regions, place), 0, 0, threadId) === 0) {
      return threadNumbers(regions, place);
    }
  }
  return undefined;
}

/** In the main thread: the regions of threads that do not live any more are free again. */
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
