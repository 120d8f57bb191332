/**
 * The format of Chrome DevTools and 0x: Chrome DevTools Protocol, Profiler.Profile. It has one line
 * of time, so the threads follow one another on it, and each its functions; the tree is what to look
 * at. `hitCount`, by which 0x draws, is in microseconds.
 */
import { buildCallTree, type CallNode } from './call-tree.ts';
import type { Profile } from './profile.ts';

interface Node {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly hitCount: number;
  readonly children: readonly number[];
  readonly positionTicks: readonly { readonly line: number; readonly ticks: number }[];
}

export function encodeCpuProfile(profile: Profile): string {
  const nodes: Node[] = [];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  const startTime = profile.startedAt.getTime() * 1000;
  let endTime = startTime;
  let lasted = 0;
  add(buildCallTree(profile.samples, profile.types.length - 1));
  return JSON.stringify({ nodes, startTime, endTime, samples, timeDeltas });

  /** The root has the number 1, which 0x expects. */
  function add({ frame, children, own, lines }: CallNode): number {
    const id = nodes.length + 1;
    const inside: number[] = [];
    const hitCount = Math.round(own / 1000);
    nodes.push({
      id,
      callFrame: {
        functionName: frame.name,
        scriptId: '0',
        url: frame.file,
        // Zero-based in this format; -1 is nowhere. 0x shows the number as it is.
        lineNumber: frame.startLine - 1,
        columnNumber: -1,
      },
      hitCount,
      children: inside,
      positionTicks: [...lines].map(([line, ns]) => ({ line, ticks: Math.round(ns / 1000) })),
    });
    if (hitCount > 0) {
      samples.push(id);
      // The time since the last look, which is what the one before has lasted.
      timeDeltas.push(lasted);
      lasted = hitCount;
      endTime += hitCount;
    }
    for (const child of children.values()) inside.push(add(child));
    return id;
  }
}
