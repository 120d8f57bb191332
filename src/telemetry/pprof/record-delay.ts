/** Records the event-loop delay of the current thread. */
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyRecording, type RawNode, type RawSample, type ThreadRecording } from './recording.ts';

const everyMs = 10;
/** Node's timers have a resolution of 1 ms, so a smaller delay is not significant. */
const noticedMs = 2;

/**
 * A timer fires every 10 ms. Its delay is what a new event would have waited. The values of a
 * sample: count, nanoseconds. One sample for each power of two.
 */
export async function recordDelay(
  milliseconds: number,
  signal: AbortSignal,
): Promise<ThreadRecording> {
  const totals = new Map<number, [times: number, ns: number]>();
  const end = performance.now() + milliseconds;
  for (let now = performance.now(); now < end; ) {
    const due = now + Math.min(everyMs, end - now);
    await sleep(due - now, undefined, { signal });
    now = performance.now();
    const lateMs = now - due;
    if (lateMs < noticedMs) continue;
    const power = Math.floor(Math.log2(lateMs));
    const total = totals.get(power) ?? [0, 0];
    totals.set(power, total);
    total[0]++;
    total[1] += lateMs * 1e6;
  }
  const nodes: RawNode[] = [node('[event loop]', -1)];
  const samples: RawSample[] = [];
  for (const [power, values] of [...totals].sort(([a], [b]) => a - b)) {
    const place = nodes.push(node(`[late by ${2 ** power} to ${2 ** (power + 1)} ms]`, 0)) - 1;
    samples.push({ node: place, line: -1, values });
  }
  return { ...emptyRecording, nodes, samples };
}

function node(name: string, parent: number): RawNode {
  return { parent, frame: { name, url: '', line: -1, column: -1 } };
}
