/**
 * The format of Chrome DevTools and 0x: Chrome DevTools Protocol, Profiler.Profile. It has one
 * timeline, so the threads come one after the other, and their functions too: use its tree.
 * `hitCount`, the size in 0x, is in microseconds.
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
        // Zero-based in this format; -1: unknown. 0x shows the number as it is.
        lineNumber: frame.startLine - 1,
        columnNumber: -1,
      },
      hitCount,
      children: inside,
      positionTicks: [...lines].map(([line, ns]) => ({ line, ticks: Math.round(ns / 1000) })),
    });
    if (hitCount > 0) {
      samples.push(id);
      // The time since the previous sample, which is that sample's duration.
      timeDeltas.push(lasted);
      lasted = hitCount;
      endTime += hitCount;
    }
    for (const child of children.values()) inside.push(add(child));
    return id;
  }
}
