/** Records a CPU profile of the current thread with V8's sampling profiler. */
import type { Profiler } from 'node:inspector';
import type { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyRecording, type RawNode, type RawSample, type ThreadRecording } from './recording.ts';
import { processCpuNs, threadCpuNs } from './thread-clock.ts';

/** V8's name for a waiting thread. */
const idle = '(idle)';

/**
 * The values of a sample: count, nanoseconds. Idle time is omitted.
 * @param isMain also reports the CPU time of the process.
 * @throws the signal's reason when it is aborted; the profiler is stopped then.
 */
export async function recordCpu(
  session: Session,
  question: { readonly milliseconds: number; readonly intervalUs: number },
  isMain: boolean,
  signal: AbortSignal,
): Promise<ThreadRecording> {
  await session.post('Profiler.enable');
  try {
    await session.post('Profiler.setSamplingInterval', { interval: question.intervalUs });
    await session.post('Profiler.start');
    // Starting takes milliseconds: V8 walks all compiled code.
    const threadBefore = threadCpuNs();
    const processBefore = processCpuNs();
    let cpuNs: number | null;
    let ofProcess: number;
    let profile: Profiler.Profile;
    try {
      await sleep(question.milliseconds, undefined, { signal });
    } finally {
      const after = threadCpuNs();
      cpuNs = after === null || threadBefore === null ? null : after - threadBefore;
      ofProcess = processCpuNs() - processBefore;
      ({ profile } = await session.post('Profiler.stop'));
    }
    return {
      ...emptyRecording,
      ...reduceCpu(profile),
      cpuNs,
      processCpuNs: isMain ? ofProcess : null,
    };
  } finally {
    await session.post('Profiler.disable');
  }
}

/** One sample for each line of each node: half a minute has many samples but few places. */
export function reduceCpu(profile: Profiler.Profile): Pick<ThreadRecording, 'nodes' | 'samples'> {
  const places = new Map(profile.nodes.map(({ id }, place) => [id, place]));
  const parents = new Int32Array(profile.nodes.length).fill(-1);
  for (const [place, { children = [] }] of profile.nodes.entries()) {
    for (const child of children) parents[places.get(child)!] = place;
  }
  const nodes = profile.nodes.map(({ callFrame }, place): RawNode => {
    const { functionName: name, url, lineNumber: line, columnNumber: column } = callFrame;
    return { parent: parents[place]!, frame: { name, url, line, column } };
  });

  const counts = new Float64Array(nodes.length);
  const spentNs = new Float64Array(nodes.length);
  const { samples = [], timeDeltas = [] } = profile;
  let at = profile.startTime;
  for (const [sample, id] of samples.entries()) {
    at += timeDeltas[sample] ?? 0;
    const place = places.get(id)!;
    // A sample lasts until the next one.
    const untilUs = timeDeltas[sample + 1] ?? profile.endTime - at;
    counts[place]!++;
    spentNs[place]! += Math.max(0, untilUs) * 1000;
  }
  const reduced: RawSample[] = [];
  for (const [place, { positionTicks = [], callFrame }] of profile.nodes.entries()) {
    if (counts[place] === 0 || callFrame.functionName === idle) continue;
    reduced.push(...byLine(place, counts[place]!, spentNs[place]!, positionTicks));
  }
  return { nodes, samples: reduced };
}

/** V8 counts samples by line, but does not tell which sample was on which line. */
function byLine(
  node: number,
  count: number,
  ns: number,
  lines: readonly Profiler.PositionTickInfo[],
): RawSample[] {
  const seen = lines.reduce((sum, { ticks }) => sum + ticks, 0);
  if (seen === 0) return [{ node, line: -1, values: [count, ns] }];
  return lines.map(({ line, ticks }) => {
    const share = ticks / seen;
    return { node, line: line - 1, values: [count * share, ns * share] };
  });
}
