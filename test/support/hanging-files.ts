/**
 * Ends test files that take too long. Node 20 and 22 do that by themselves; for Node 24 the time
 * limit of a run is one for each test, and a file that does not end holds the run up for ever.
 */
import type { run } from 'node:test';
import { endTestFile } from './leftovers.ts';

/** The runner's own limit comes first, where it has one. */
const graceMs = 1000;

export function endHangingFiles(events: ReturnType<typeof run>, fileTimeoutMs: number): void {
  const timers = new Map<string, NodeJS.Timeout>();
  events.on('test:dequeue', ({ name, file }) => {
    if (name !== file) return;
    timers.set(
      file,
      setTimeout(() => endTestFile(file), fileTimeoutMs + graceMs),
    );
  });
  events.on('test:complete', ({ name, file }) => {
    if (name === file) clearTimeout(timers.get(file));
  });
  events.on('end', () => {
    for (const timer of timers.values()) clearTimeout(timer);
  });
}
