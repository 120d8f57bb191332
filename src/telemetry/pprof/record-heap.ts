/**
 * Records heap profiles of the current thread with V8's sampling profiler. Each isolate has one
 * profiler; only this file uses it.
 */
import type { HeapProfiler } from 'node:inspector';
import type { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyRecording, type RawNode, type RawSample, type ThreadRecording } from './recording.ts';

export interface HeapRecorder {
  /** The values of a sample: objects, bytes. @param collect runs the garbage collector first. */
  live(collect: boolean): Promise<ThreadRecording>;
  /** All allocations during the time. Afterwards the sampling of live objects starts anew. */
  allocated(milliseconds: number, signal: AbortSignal): Promise<ThreadRecording>;
}

/**
 * The mean distance of two samples in bytes. Close to Go's 512 KiB: one more than a common multiple
 * of 16, 24, 32, 40, 48, 56, 64, 72, 80, 96 … `objectsOf` needs that.
 */
export const heapIntervalBytes = 26 * 20_160 + 1;

export async function startHeapRecorder(session: Session): Promise<HeapRecorder> {
  let since = new Date();
  await sample({});

  async function sample(more: HeapProfiler.StartSamplingParameterType): Promise<void> {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: heapIntervalBytes,
      ...more,
    });
  }

  async function live(collect: boolean): Promise<ThreadRecording> {
    if (collect) await session.post('HeapProfiler.collectGarbage');
    const { profile } = await session.post('HeapProfiler.getSamplingProfile');
    const notes = [`objects allocated since ${since.toISOString()}`, describeMemory()];
    return { ...emptyRecording, ...reduceHeap(profile), notes };
  }

  async function allocated(milliseconds: number, signal: AbortSignal): Promise<ThreadRecording> {
    await session.post('HeapProfiler.stopSampling');
    await sample({
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    try {
      await sleep(milliseconds, undefined, { signal });
      const { profile } = await session.post('HeapProfiler.getSamplingProfile');
      return { ...emptyRecording, ...reduceHeap(profile), notes: [describeMemory()] };
    } finally {
      await session.post('HeapProfiler.stopSampling');
      since = new Date();
      await sample({});
    }
  }

  return { live, allocated };
}

/** Present in V8, missing in the types of Node 24: Chrome DevTools Protocol, HeapProfiler. */
declare module 'inspector' {
  namespace HeapProfiler {
    interface SamplingHeapProfile {
      samples: readonly { readonly size: number; readonly nodeId: number }[];
    }
    interface SamplingHeapProfileNode {
      id: number;
    }
    interface StartSamplingParameterType {
      includeObjectsCollectedByMajorGC?: boolean;
      includeObjectsCollectedByMinorGC?: boolean;
    }
  }
}

/** Memory outside V8's heap is in no sample. */
function describeMemory(): string {
  let usage: NodeJS.MemoryUsage;
  try {
    usage = process.memoryUsage();
  } catch {
    // memoryUsage also reads the resident set, from /proc on Linux.
    return 'memory outside of the samples is not known: nothing could be opened';
  }
  const { heapUsed, heapTotal, external, arrayBuffers } = usage;
  return `heap used ${heapUsed} of ${heapTotal} bytes, external ${external}, of it array buffers ${arrayBuffers}`;
}

export function reduceHeap(
  profile: HeapProfiler.SamplingHeapProfile,
): Pick<ThreadRecording, 'nodes' | 'samples'> {
  const nodes: RawNode[] = [];
  const places = new Map<number, number>();
  const walk = (node: HeapProfiler.SamplingHeapProfileNode, parent: number): void => {
    const { functionName: name, url, lineNumber: line, columnNumber: column } = node.callFrame;
    const place = nodes.push({ parent, frame: { name, url, line, column } }) - 1;
    places.set(node.id, place);
    for (const child of node.children) walk(child, place);
  };
  walk(profile.head, -1);

  const totals = new Map<number, [objects: number, bytes: number]>();
  for (const { nodeId, size } of profile.samples) {
    const place = places.get(nodeId);
    if (place === undefined) continue;
    const total = totals.get(place) ?? [0, 0];
    totals.set(place, total);
    total[0] += objectsOf(size);
    total[1] += size;
  }
  const samples = [...totals].map(([node, values]): RawSample => ({ node, line: -1, values }));
  return { nodes, samples };
}

/**
 * The number of objects that a sample stands for. V8 reports only bytes = size × count, with count
 * = round(1 / (1 - e^(-size / interval))). For a small object that is the first multiple of its
 * size above the interval. The interval minus one is divisible by the usual sizes, so the bytes are
 * `interval - 1 + size` for most small objects. From that the size follows.
 */
export function objectsOf(bytes: number): number {
  const beyond = Math.max(8, bytes - heapIntervalBytes + 1);
  // The larger the count, the smaller the object. Returns the smallest size that fits.
  for (let count = Math.floor(bytes / beyond); count > 1; count--) {
    const size = bytes / count;
    if (Number.isInteger(size) && countFor(size) === count) return count;
  }
  return 1;
}

function countFor(size: number): number {
  return Math.floor(1 / (1 - Math.exp(-size / heapIntervalBytes)) + 0.5);
}
