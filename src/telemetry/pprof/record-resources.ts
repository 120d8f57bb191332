/** Records what keeps the event loop alive, and the operating system's threads. */
import { readdirSync, readFileSync } from 'node:fs';
import { emptyRecording, type RawNode, type RawSample, type ThreadRecording } from './recording.ts';

/**
 * The values of a sample: active resources, and OS threads by name. Node does not know the sockets
 * of uWebSockets.js, so they are not included.
 */
export function recordResources(isMain: boolean): ThreadRecording {
  const nodes: RawNode[] = [];
  const samples: RawSample[] = [];
  const add = (name: string, values: readonly number[]): void => {
    const frame = { name, url: '', line: -1, column: -1 };
    const node = nodes.push({ parent: -1, frame }) - 1;
    samples.push({ node, line: -1, values });
  };
  const resources = countEach(process.getActiveResourcesInfo());
  for (const [name, count] of resources) add(`[${name}]`, [count, 0]);
  // All threads of a process have the same list, so only the main thread reports it.
  if (isMain) for (const [name, count] of countEach(systemThreads())) add(`[${name}]`, [0, count]);
  return { ...emptyRecording, nodes, samples };
}

/** Linux: proc(5), /proc/self/task; elsewhere empty. */
function systemThreads(): string[] {
  try {
    return readdirSync('/proc/self/task').map((id) =>
      readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim(),
    );
  } catch {
    return [];
  }
}

function countEach(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
