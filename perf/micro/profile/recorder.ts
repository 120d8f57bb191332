/** V8's samplers on this thread during the benchmarks. */
import { Session } from 'node:inspector/promises';
import { mergeSamples } from '../../../src/telemetry/pprof/merge.ts';
import type { Profile } from '../../../src/telemetry/pprof/profile.ts';
import { reduceCpu } from '../../../src/telemetry/pprof/record-cpu.ts';
import { reduceHeap } from '../../../src/telemetry/pprof/record-heap.ts';
import { emptyRecording, type ThreadRecording } from '../../../src/telemetry/pprof/recording.ts';
import { createSources } from '../../../src/telemetry/pprof/sources.ts';

export interface Recorder {
  /** Call it once. */
  stop(): Promise<Profile>;
}

const cpuIntervalUs = 500;
/** Smaller than Go's 512 KiB: a run of some seconds allocates gigabytes. */
const heapIntervalBytes = 64 * 1024;

export async function startCpuRecorder(): Promise<Recorder> {
  const session = openSession();
  const toProfile = beginProfile();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: cpuIntervalUs });
  await session.post('Profiler.start');
  return {
    async stop() {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      const nanoseconds = { type: 'cpu', unit: 'nanoseconds' };
      return toProfile(reduceCpu(profile), {
        types: [{ type: 'samples', unit: 'count' }, nanoseconds],
        period: { ...nanoseconds, value: cpuIntervalUs * 1000 },
      });
    },
  };
}

/** All allocations, including collected objects. */
export async function startHeapRecorder(): Promise<Recorder> {
  const session = openSession();
  const toProfile = beginProfile();
  const options = {
    samplingInterval: heapIntervalBytes,
    // Missing in the types of Node 24 too.
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  await session.post('HeapProfiler.startSampling', options);
  return {
    async stop() {
      const { profile } = await session.post('HeapProfiler.stopSampling');
      session.disconnect();
      const { nodes, samples } = reduceHeap(profile);
      // Only bytes: the number of objects can only be derived with the service's interval.
      const bytes = samples.map((sample) => ({ ...sample, values: sample.values.slice(1) }));
      return toProfile(
        { nodes, samples: bytes },
        {
          types: [{ type: 'alloc_space', unit: 'bytes' }],
          period: { type: 'space', unit: 'bytes', value: heapIntervalBytes },
        },
      );
    },
  };
}

function openSession(): Session {
  const session = new Session();
  session.connect();
  return session;
}

/** Starts a profile. @returns a function that ends it. */
function beginProfile() {
  const startedAt = new Date();
  return (
    recorded: Pick<ThreadRecording, 'nodes' | 'samples'>,
    meaning: Pick<Profile, 'types' | 'period'>,
  ): Profile => {
    const threads = { main: { ...emptyRecording, ...recorded } };
    const recordings = new Map([['benchmarks', { pid: process.pid, threads, missing: [] }]]);
    const durationMs = Date.now() - startedAt.getTime();
    const samples = mergeSamples(recordings, createSources());
    return { ...meaning, samples, startedAt, durationMs, comments: [] };
  };
}
