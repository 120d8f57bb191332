/**
 * The questions of the primary to every process and thread, and their answers. Recordings have V8's
 * positions in the built files. The primary maps them to TypeScript, because it serves no requests.
 */
export type ProfileQuestion =
  /** CPU time, sampled every `intervalUs`. */
  | { readonly kind: 'cpu'; readonly milliseconds: number; readonly intervalUs: number }
  /** Sampled live objects; `collect` runs the garbage collector first. */
  | { readonly kind: 'heap'; readonly collect: boolean }
  /** All allocations during the time, also of objects that were collected. */
  | { readonly kind: 'allocations'; readonly milliseconds: number }
  /** The delay of the event loops. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** What keeps the event loops alive, and the operating system's threads. */
  | { readonly kind: 'resources' }
  /** Node's trace events. */
  | { readonly kind: 'trace'; readonly milliseconds: number };

/** A function and its position in the built file, zero-based as in V8. */
export interface RawFrame {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

export interface RawNode {
  /** The caller's index in the list of nodes; -1: none. */
  readonly parent: number;
  readonly frame: RawFrame;
}

export interface RawSample {
  /** The innermost function's index in the list of nodes. */
  readonly node: number;
  /** The zero-based line in the built file that was executed; -1: unknown. */
  readonly line: number;
  readonly values: readonly number[];
}

/** The recording of one thread. */
export interface ThreadRecording {
  readonly nodes: readonly RawNode[];
  readonly samples: readonly RawSample[];
  /** CPU time of the thread during the recording, in nanoseconds; `null`: not available. */
  readonly cpuNs: number | null;
  /** The same for the whole process; only from a main thread. */
  readonly processCpuNs: number | null;
  /** Remarks for the profile's comments. */
  readonly notes: readonly string[];
  /** Only for `trace`, and only from a main thread. */
  readonly events: readonly object[];
}

export interface ProcessRecording {
  readonly pid: number;
  /** By name: `main`, `worker-1`. */
  readonly threads: Readonly<Record<string, ThreadRecording>>;
  /** Threads that ended or did not answer in time. */
  readonly missing: readonly string[];
}

export const emptyRecording: ThreadRecording = {
  nodes: [],
  samples: [],
  cpuNs: null,
  processCpuNs: null,
  notes: [],
  events: [],
};

/** Added to a recording's time: for the stop, the transfer, and a busy thread. */
const threadMarginMs = 5000;
const processMarginMs = 8000;

/**
 * How long a cancelled recording may take to stop: V8's profilers take milliseconds, a busy event
 * loop longer. A thread that has not confirmed by then delays its next recording.
 */
export const threadCancelMaxMs = 2000;
/** The same for a process with its threads. */
export const processCancelMaxMs = 3000;

export function threadDeadlineMs(question: ProfileQuestion): number {
  return windowMs(question) + threadMarginMs;
}

export function processDeadlineMs(question: ProfileQuestion): number {
  return windowMs(question) + processMarginMs;
}

function windowMs(question: ProfileQuestion): number {
  return 'milliseconds' in question ? question.milliseconds : 0;
}
