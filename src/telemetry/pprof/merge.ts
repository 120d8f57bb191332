/** Merges the recordings of all threads into the samples of one profile. */
import type { Sample, StackFrame } from './profile.ts';
import type { ProcessRecording, ThreadRecording } from './recording.ts';
import type { Sources } from './sources.ts';

/** By process name: `primary`, `frontend-1`. */
export type Recordings = ReadonlyMap<string, ProcessRecording>;

const native: StackFrame = { name: '[native]', file: '', startLine: 0, line: 0 };
const helpers: StackFrame = {
  ...native,
  name: '[helper threads: collector, compiler, file system]',
};

/** @param choose selects the values of the profile from the recorded ones. */
export function mergeSamples(
  recordings: Recordings,
  sources: Sources,
  choose: (values: readonly number[]) => readonly number[] = (values) => values,
): Sample[] {
  const samples: Sample[] = [];
  for (const [process, { threads }] of recordings) {
    for (const [thread, recording] of Object.entries(threads)) {
      for (const { stack, values } of stacksOf(recording, sources)) {
        const chosen = choose(values);
        if (chosen.some((value) => value !== 0)) {
          samples.push({ stack, values: chosen, process, thread });
        }
      }
    }
  }
  return samples;
}

/**
 * CPU profiles: samples and nanoseconds. V8's sampler uses wall time. A thread that waits for a
 * core seems busy, and native work of uWebSockets.js seems idle. So the samples of a thread are
 * scaled down to its CPU time, or the missing time is added as `[native]`. The CPU time of the
 * process beyond its JavaScript threads is a separate sample.
 */
export function mergeCpu(recordings: Recordings, sources: Sources, intervalNs: number): Sample[] {
  const samples: Sample[] = [];
  for (const [process, { threads }] of recordings) {
    let known = 0;
    for (const [thread, recording] of Object.entries(threads)) {
      known += recording.cpuNs ?? 0;
      for (const { stack, values } of corrected(recording, stacksOf(recording, sources))) {
        samples.push({ stack, values, process, thread });
      }
    }
    const all = threads['main']?.processCpuNs ?? null;
    const isKnown = Object.values(threads).every(({ cpuNs }) => cpuNs !== null);
    if (all !== null && isKnown && all - known >= intervalNs) {
      const rest = all - known;
      const values = [rest / intervalNs, rest];
      samples.push({ stack: [helpers], values, process, thread: 'helpers' });
    }
  }
  return samples;

  function corrected({ cpuNs }: ThreadRecording, stacks: readonly Stack[]): readonly Stack[] {
    if (cpuNs === null) return stacks;
    const seenNs = stacks.reduce((sum, { values }) => sum + values[1]!, 0);
    if (seenNs > cpuNs) {
      const share = cpuNs / seenNs;
      return stacks.map(({ stack, values }) => ({
        stack,
        values: [values[0]!, values[1]! * share],
      }));
    }
    const missing = cpuNs - seenNs;
    if (missing < intervalNs) return stacks;
    return [...stacks, { stack: [native], values: [missing / intervalNs, missing] }];
  }
}

interface Stack {
  readonly stack: readonly StackFrame[];
  readonly values: readonly number[];
}

function stacksOf({ nodes, samples }: ThreadRecording, sources: Sources): Stack[] {
  // The line of the call is unknown, so a caller has one frame for all its callees.
  const callers = new Map<number, readonly StackFrame[]>();

  function callersOf(place: number): readonly StackFrame[] {
    const known = callers.get(place);
    if (known !== undefined) return known;
    const { frame, parent } = nodes[place]!;
    const stack =
      frame.name === '(root)' ? [] : [sources.resolve(frame, -1), ...up(parent, callersOf)];
    callers.set(place, stack);
    return stack;
  }

  return samples.map(({ node, line, values }) => {
    const { frame, parent } = nodes[node]!;
    const innermost = sources.resolve(frame, line);
    return { stack: [innermost, ...up(parent, callersOf)], values };
  });
}

function up(
  parent: number,
  callersOf: (place: number) => readonly StackFrame[],
): readonly StackFrame[] {
  return parent === -1 ? [] : callersOf(parent);
}
