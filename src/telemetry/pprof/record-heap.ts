/**
 * V8's sampling heap profiler on the thread that calls. There is one for each isolate, so it has
 * one owner: this file.
 */
import type { HeapProfiler } from 'node:inspector';
import type { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyRecording, type RawNode, type RawSample, type ThreadRecording } from './recording.ts';

export interface HeapRecorder {
  /** Values of the samples: objects, bytes. @param collect end first what nobody needs. */
  live(collect: boolean): Promise<ThreadRecording>;
  /** The same of everything that is allocated meanwhile. What lives is sampled anew from then on. */
  allocated(milliseconds: number, signal: AbortSignal): Promise<ThreadRecording>;
}

/**
 * One sample for about so many bytes: Go's 512 KiB, but one more than a number that 16, 24, 32, 40,
 * 48, 56, 64, 72, 80, 96 … divide. See `objectsOf` for the reason.
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

/** What V8 has and the types of Node 24 do not: Chrome DevTools Protocol, HeapProfiler. */
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

/** Bytes outside of V8's heap are in nobody's sample. */
function describeMemory(): string {
  let usage: NodeJS.MemoryUsage;
  try {
    usage = process.memoryUsage();
  } catch {
    // It asks for the resident set too, which is read from /proc on Linux.
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
 * How many objects a sample stands for. V8 says only the bytes, which are size × count with
 * count = round(1 / (1 - e^(-size / interval))): for a small object the first multiple of its size
 * behind the interval. Because those sizes divide the interval but for one byte, the bytes are
 * `interval - 1 + size` for most small objects, and the size can be read back.
 */
export function objectsOf(bytes: number): number {
  const beyond = Math.max(8, bytes - heapIntervalBytes + 1);
  // The larger the count, the smaller the object: the smallest that fits.
  for (let count = Math.floor(bytes / beyond); count > 1; count--) {
    const size = bytes / count;
    if (Number.isInteger(size) && countFor(size) === count) return count;
  }
  return 1;
}

function countFor(size: number): number {
  return Math.floor(1 / (1 - Math.exp(-size / heapIntervalBytes)) + 0.5);
}
