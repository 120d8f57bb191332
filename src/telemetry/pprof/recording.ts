/**
 * What the primary asks of every process and thread, and what they answer. Recordings are as V8
 * gives them, with positions in the built files: the primary, which serves nobody, looks up the
 * TypeScript.
 */
export type ProfileQuestion =
  /** Where CPU time goes, sampled each `intervalUs`. */
  | { readonly kind: 'cpu'; readonly milliseconds: number; readonly intervalUs: number }
  /** What the sampled objects are that live now; `collect` ends those first that nobody needs. */
  | { readonly kind: 'heap'; readonly collect: boolean }
  /** What is allocated meanwhile, also what is collected again. */
  | { readonly kind: 'allocations'; readonly milliseconds: number }
  /** By how much the event loops run late. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** What keeps the event loops going, and the threads of the operating system. */
  | { readonly kind: 'resources' }
  /** Node's own trace events. */
  | { readonly kind: 'trace'; readonly milliseconds: number };

/** A function as V8 names its place: zero-based, in the built file. */
export interface RawFrame {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

export interface RawNode {
  /** The caller's place in the list of nodes; -1: nobody. */
  readonly parent: number;
  readonly frame: RawFrame;
}

export interface RawSample {
  /** The innermost function's place in the list of nodes. */
  readonly node: number;
  /** Zero-based line of the built file that was executed; -1: not known. */
  readonly line: number;
  readonly values: readonly number[];
}

/** What one thread recorded. */
export interface ThreadRecording {
  readonly nodes: readonly RawNode[];
  readonly samples: readonly RawSample[];
  /** CPU time of this thread meanwhile in nanoseconds; `null` where the system does not tell. */
  readonly cpuNs: number | null;
  /** The same of its whole process. Only a main thread tells. */
  readonly processCpuNs: number | null;
  /** What a reader should know, for the profile's comments. */
  readonly notes: readonly string[];
  /** Only for `trace`, and only from a main thread. */
  readonly events: readonly object[];
}

export interface ProcessRecording {
  readonly pid: number;
  /** By name: `main`, `worker-1`. */
  readonly threads: Readonly<Record<string, ThreadRecording>>;
  /** Names of the threads that ended, or did not answer in time. */
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

/** Beyond the time of a recording: to stop, to be sent, and for a thread that is busy. */
const threadMarginMs = 5000;
const processMarginMs = 8000;

/**
 * How long a cancelled recording may take to end: stopping V8's profilers takes milliseconds, a busy
 * event loop longer. Whoever has not confirmed by then is waited for by its next recording.
 */
export const threadCancelMaxMs = 2000;
/** The same of a process, with its threads. */
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
