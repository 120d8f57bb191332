/** V8's samplers on this thread, for as long as the benchmarks run. */
import { Session } from 'node:inspector/promises';
import { nodesOfCpu, nodesOfHeap, type Recording } from './recording.ts';

export interface Recorder {
  /** To be called once. */
  stop(): Promise<Recording>;
}

const cpuIntervalUs = 500;
/** Smaller than Go's 512 KiB: a run of some seconds allocates some gigabytes. */
const heapIntervalBytes = 64 * 1024;

export async function startCpuRecorder(): Promise<Recorder> {
  const session = openSession();
  const startedAt = Date.now();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: cpuIntervalUs });
  await session.post('Profiler.start');
  return {
    async stop() {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return {
        nodes: nodesOfCpu(profile),
        types: [
          { type: 'samples', unit: 'count' },
          { type: 'cpu', unit: 'nanoseconds' },
        ],
        interval: cpuIntervalUs * 1000,
        startedAt,
        durationMs: Date.now() - startedAt,
      };
    },
  };
}

/** Everything that is allocated, also what is collected again. */
export async function startHeapRecorder(): Promise<Recorder> {
  const session = openSession();
  const startedAt = Date.now();
  const options = {
    samplingInterval: heapIntervalBytes,
    // Not in the types of Node 20.
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  await session.post('HeapProfiler.startSampling', options);
  return {
    async stop() {
      const { profile } = await session.post('HeapProfiler.stopSampling');
      session.disconnect();
      return {
        nodes: nodesOfHeap(profile),
        types: [{ type: 'alloc_space', unit: 'bytes' }],
        interval: heapIntervalBytes,
        startedAt,
        durationMs: Date.now() - startedAt,
      };
    },
  };
}

function openSession(): Session {
  const session = new Session();
  session.connect();
  return session;
}
