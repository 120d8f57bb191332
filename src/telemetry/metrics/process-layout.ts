/** The metrics that every process has, including the primary. */
import { openFiles, openFilesMax } from '../open-files.ts';
import type { LayoutBuilder } from './layout.ts';

export interface ProcessSlots {
  readonly startSeconds: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly openFiles: number;
  readonly openFilesMax: number;
}

export function addProcess(layout: LayoutBuilder): ProcessSlots {
  const add = (name: string, help: string, type: 'counter' | 'gauge'): number =>
    layout.family({ name, help, type, labelNames: [], perProcess: true }).add();
  return {
    startSeconds: add(
      'process_start_time_seconds',
      'When the process began, in seconds since the epoch.',
      'gauge',
    ),
    cpuSeconds: add(
      'process_cpu_seconds_total',
      'CPU time of a process, and of those that it replaced.',
      'counter',
    ),
    residentBytes: add('process_resident_memory_bytes', 'Memory of a process.', 'gauge'),
    openFiles: add('process_open_fds', 'Files and sockets that are open (Linux 6.2).', 'gauge'),
    openFilesMax: add('process_max_fds', 'How many may be open (Linux).', 'gauge'),
  };
}

/** @returns a function that updates the numbers. CPU time continues from the current values. */
export function createResourceRecorder(slots: ProcessSlots, numbers: Float64Array): () => void {
  const cpuSecondsBefore = numbers[slots.cpuSeconds]!;
  numbers[slots.startSeconds] = Date.now() / 1000 - process.uptime();

  return function recordProcess() {
    const { user, system } = process.cpuUsage();
    numbers[slots.cpuSeconds] = cpuSecondsBefore + (user + system) / 1e6;
    // NaN omits a value that the system does not report, perhaps because no descriptor is free.
    numbers[slots.residentBytes] = residentBytes() ?? Number.NaN;
    numbers[slots.openFiles] = openFiles() ?? Number.NaN;
    numbers[slots.openFilesMax] = openFilesMax() ?? Number.NaN;
  };
}

/** Reads /proc on Linux, and throws if it cannot be opened. */
function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}
