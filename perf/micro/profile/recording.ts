/** What V8's samplers have seen, in one form for both. */
import type { HeapProfiler, Profiler, Runtime } from 'node:inspector';

export interface Recording {
  readonly nodes: readonly RecordedNode[];
  /** The last one is what a reader sees first. */
  readonly types: readonly ValueType[];
  /** The distance of two samples, of the last type. */
  readonly interval: number;
  readonly startedAt: number;
  readonly durationMs: number;
}

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface RecordedNode {
  readonly frame: Runtime.CallFrame;
  /** The caller's place in the list, which is before it; -1: nobody. */
  readonly parent: number;
  /** By line of the built file, from 1; 0: not known. One value for each type. */
  readonly values: ReadonlyMap<number, readonly number[]>;
}

/** V8's name for the time in which the thread waits, here mostly for PostgreSQL. */
const idle = '(idle)';

export function nodesOfCpu(profile: Profiler.Profile): RecordedNode[] {
  const spent = new Map<number, [count: number, ns: number]>();
  const { samples = [], timeDeltas = [] } = profile;
  for (const [place, id] of samples.entries()) {
    const seen = spent.get(id) ?? [0, 0];
    spent.set(id, seen);
    seen[0]++;
    // What was seen lasts until the next look.
    seen[1] += Math.max(0, timeDeltas[place + 1] ?? 0) * 1000;
  }
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const nodes: RecordedNode[] = [];
  const walk = (node: Profiler.ProfileNode, parent: number): void => {
    const { callFrame, positionTicks = [], children = [] } = node;
    const [count, ns] = spent.get(node.id) ?? [0, 0];
    const isCounted = count > 0 && callFrame.functionName !== idle;
    const values = isCounted ? byLine(positionTicks, [count, ns]) : new Map();
    const place = nodes.push({ frame: callFrame, parent, values }) - 1;
    for (const child of children) walk(byId.get(child)!, place);
  };
  walk(profile.nodes[0]!, -1);
  return nodes;
}

/** V8 counts the lines of a function, but does not say which sample saw which. */
function byLine(
  ticks: readonly Profiler.PositionTickInfo[],
  values: readonly number[],
): Map<number, readonly number[]> {
  const all = ticks.reduce((sum, { ticks: count }) => sum + count, 0);
  if (all === 0) return new Map([[0, values]]);
  return new Map(
    ticks.map(({ line, ticks: count }) => [line, values.map((value) => (value * count) / all)]),
  );
}

export function nodesOfHeap(profile: HeapProfiler.SamplingHeapProfile): RecordedNode[] {
  const nodes: RecordedNode[] = [];
  const walk = (node: HeapProfiler.SamplingHeapProfileNode, parent: number): void => {
    const { callFrame, selfSize, children } = node;
    const values = selfSize > 0 ? new Map([[0, [selfSize]]]) : new Map();
    const place = nodes.push({ frame: callFrame, parent, values }) - 1;
    for (const child of children) walk(child, place);
  };
  walk(profile.head, -1);
  return nodes;
}
