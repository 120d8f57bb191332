/**
 * How a process's main thread asks its worker threads. A channel by name reaches them all, also
 * those that a pool starts and replaces by itself; each thread looks into itself. (The inspector's
 * NodeWorker domain would do without code in the threads, but sends every profile as JSON through
 * the main thread, which holds the sockets, and keeps an ending thread waiting for its debugger.)
 */
import { BroadcastChannel, threadId } from 'node:worker_threads';
import { createIsolateRecorder } from './isolate.ts';
import {
  type ProfileQuestion,
  type ThreadRecording,
  threadCancelMaxMs,
  threadDeadlineMs,
} from './recording.ts';

export interface Threads {
  /**
   * Rejects when the signal is aborted, once every thread that was asked has confirmed that it has
   * ended, within `threadCancelMaxMs`. Whoever ends or does not answer is left out.
   */
  ask(question: ProfileQuestion, signal: AbortSignal): Promise<ThreadAnswers>;
  close(): void;
}

export interface ThreadAnswers {
  readonly recordings: ReadonlyMap<number, ThreadRecording>;
  readonly missing: readonly number[];
}

type ToThread =
  | {
      readonly type: 'ask';
      readonly number: number;
      readonly threads: readonly number[];
      readonly question: ProfileQuestion;
    }
  | { readonly type: 'cancel'; readonly number: number; readonly threads: readonly number[] };

/** Also the confirmation of a cancel. */
interface ToMain {
  readonly type: 'answer';
  readonly number: number;
  readonly thread: number;
  /** `null`: it could not. */
  readonly recording: ThreadRecording | null;
}

/** A process has one pool. The channel ends at the process. */
const channelName = 'tasks profiles';
const lookEveryMs = 100;
/** Of the process, as the channel is: a thread heeds no number below the last one that it heard. */
let lastNumber = 0;

/** @param running the ids of the threads that run at the moment. */
export function createThreads(running: () => readonly number[]): Threads {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  const open = new Map<number, (answer: ToMain) => void>();
  let closed = false;
  channel.onmessage = ({ data }: MessageEvent) => {
    const message = data as ToThread | ToMain;
    if (message.type === 'answer') open.get(message.number)?.(message);
  };

  function ask(question: ProfileQuestion, signal: AbortSignal): Promise<ThreadAnswers> {
    const number = ++lastNumber;
    const recordings = new Map<number, ThreadRecording>();
    const waiting = new Set<number>();
    const missing: number[] = [];
    const began = performance.now();
    let giveUp = began + threadDeadlineMs(question);

    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      for (const thread of running()) waiting.add(thread);
      // Those that have died say nothing, and those that are just starting have not heard it.
      const timer = setInterval(look, lookEveryMs);
      signal.addEventListener('abort', cancel, { once: true });
      open.set(number, hear);
      tellWaiting();
      settle();

      function hear({ thread, recording }: ToMain): void {
        if (!waiting.delete(thread)) return;
        if (recording === null) missing.push(thread);
        else recordings.set(thread, recording);
        settle();
      }

      function look(): void {
        const alive = new Set(performance.now() < giveUp && !closed ? running() : []);
        for (const thread of waiting) {
          if (alive.has(thread)) continue;
          waiting.delete(thread);
          missing.push(thread);
        }
        tellWaiting();
        settle();
      }

      function tellWaiting(): void {
        const threads = [...waiting];
        if (signal.aborted) return post({ type: 'cancel', number, threads });
        const left = shorten(question, performance.now() - began);
        post({ type: 'ask', number, threads, question: left });
      }

      function cancel(): void {
        giveUp = performance.now() + threadCancelMaxMs;
        tellWaiting();
      }

      function settle(): void {
        if (waiting.size > 0) return;
        clearInterval(timer);
        signal.removeEventListener('abort', cancel);
        open.delete(number);
        // Some may be late rather than dead.
        if (missing.length > 0) post({ type: 'cancel', number, threads: [] });
        if (signal.aborted) reject(signal.reason);
        else resolve({ recordings, missing });
      }
    });
  }

  function post(message: ToThread): void {
    if (!closed) channel.postMessage(message);
  }

  function close(): void {
    closed = true;
    channel.close();
  }

  return { ask, close };
}

/** Whoever begins late ends with the others. */
function shorten(question: ProfileQuestion, byMs: number): ProfileQuestion {
  if (!('milliseconds' in question)) return question;
  return { ...question, milliseconds: Math.max(1, Math.round(question.milliseconds - byMs)) };
}

/** To be called once in each worker thread. It does not keep the thread alive. */
export function answerMainThread(): void {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  const recorder = createIsolateRecorder();
  const running = new Map<number, AbortController>();
  let lastHeard = 0;

  channel.onmessage = ({ data }: MessageEvent) => {
    const message = data as ToThread | ToMain;
    if (message.type === 'cancel') cancel(message);
    if (message.type !== 'ask' || message.number <= lastHeard) return;
    if (message.threads.includes(threadId)) {
      lastHeard = message.number;
      void answer(message.number, message.question);
    }
  };

  function cancel({ number, threads }: Extract<ToThread, { type: 'cancel' }>): void {
    const recording = running.get(number);
    recording?.abort();
    // Otherwise its answer is the confirmation.
    if (recording === undefined && threads.includes(threadId)) reply(number, null);
  }

  async function answer(number: number, question: ProfileQuestion): Promise<void> {
    const controller = new AbortController();
    running.set(number, controller);
    const recording = await recorder.record(question, controller.signal).catch(() => null);
    running.delete(number);
    reply(number, recording);
  }

  function reply(number: number, recording: ThreadRecording | null): void {
    channel.postMessage({ type: 'answer', number, thread: threadId, recording } satisfies ToMain);
  }
}
