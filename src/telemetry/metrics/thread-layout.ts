/** The metrics of each thread: a part of the layout with the same offsets for every thread. */
import type { FamilyBuilder, LayoutBuilder } from './layout.ts';

/** The numbers of `PerformanceNodeGCDetails`. */
export const collections = [
  { kind: 1, name: 'minor' },
  { kind: 4, name: 'major' },
  { kind: 8, name: 'incremental' },
  { kind: 16, name: 'weakcb' },
] as const;

/** The delay of a timer in seconds. */
export const eventLoopDelayBounds = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2,
] as const;

export const pauseBounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1] as const;

/** Offsets from a thread's first slot, in the order in which `addThread` adds them. */
export const threadSlots = {
  cpuSeconds: 0,
  activeSeconds: 1,
  heapUsedBytes: 2,
  heapTotalBytes: 3,
  externalBytes: 4,
  delay: 5,
  /** One histogram for each kind of collection. */
  pauses: 5 + eventLoopDelayBounds.length + 2,
} as const;

export const numbersPerThread = threadSlots.pauses + collections.length * (pauseBounds.length + 2);

const labels = ['thread'] as const;

/** @returns a function that adds the series of a thread and returns its first slot. */
export function createThreadFamilies(layout: LayoutBuilder): (thread: string) => number {
  const perThread = (name: string, help: string, type: 'counter' | 'gauge'): FamilyBuilder =>
    layout.family({ name, help, type, labelNames: labels, perProcess: true, sparse: true });
  const cpu = perThread(
    'thread_cpu_seconds_total',
    'CPU time of a JavaScript thread (Linux).',
    'counter',
  );
  const active = perThread(
    'event_loop_active_seconds_total',
    'Time in which the event loop did not wait: its rate is the utilisation.',
    'counter',
  );
  const used = perThread('heap_used_bytes', "What V8's heap has in use.", 'gauge');
  const total = perThread('heap_size_bytes', "What V8's heap has taken from the system.", 'gauge');
  const external = perThread('external_memory_bytes', 'Buffers that V8 knows of.', 'gauge');
  const delay = layout.family({
    name: 'event_loop_delay_seconds',
    help: 'By how much a timer of the event loop came late, asked ten times a second.',
    type: 'histogram',
    labelNames: labels,
    bounds: eventLoopDelayBounds,
    perProcess: true,
    sparse: true,
  });
  const pauses = layout.family({
    name: 'gc_pause_seconds',
    help: 'How long garbage collections stopped a thread.',
    type: 'histogram',
    labelNames: ['thread', 'kind'],
    bounds: pauseBounds,
    perProcess: true,
    sparse: true,
  });

  return function addThread(thread) {
    const first = cpu.add(thread);
    for (const family of [active, used, total, external, delay]) family.add(thread);
    for (const { name } of collections) pauses.add(thread, name);
    return first;
  };
}
