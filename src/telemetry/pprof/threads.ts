/**
 * How a process's main thread asks its worker threads. A channel by name reaches them all, also
 * those that a pool starts and replaces by itself; each thread looks into itself. (The inspector's
 * NodeWorker domain would do without code in the threads, but sends every profile as JSON through
 * the main thread, which holds the sockets, and keeps an ending thread waiting for its debugger.)
 */
import { BroadcastChannel, threadId } from 'node:worker_threads';
import { createIsolateRecorder } from './isolate.ts';
import { type ProfileQuestion, type ThreadRecording, threadDeadlineMs } from './recording.ts';

export interface Threads {
  /** Rejects when the signal is aborted. Whoever ends or does not answer is left out. */
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
  | { readonly type: 'cancel'; readonly number: number };

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
let lastNumber = 0;

/** @param running the ids of the threads that run at the moment. */
export function createThreads(running: () => readonly number[]): Threads {
  const channel = new BroadcastChannel(channelName);
  channel.unref();

  function ask(question: ProfileQuestion, signal: AbortSignal): Promise<ThreadAnswers> {
    const threads = running();
    const number = ++lastNumber;
    const recordings = new Map<number, ThreadRecording>();
    const waiting = new Set(threads);
    const missing: number[] = [];
    const began = performance.now();
    const giveUp = began + threadDeadlineMs(question);

    return new Promise((resolve, reject) => {
      // Those that have died say nothing, and those that are just starting have not heard it.
      const timer = setInterval(look, lookEveryMs);
      signal.addEventListener('abort', cancel, { once: true });
      channel.onmessage = ({ data }: MessageEvent) => hear(data as ToThread | ToMain);
      if (signal.aborted) return cancel();
      askWaiting();
      settle();

      function hear(message: ToThread | ToMain): void {
        if (message.type !== 'answer' || message.number !== number) return;
        if (!waiting.delete(message.thread)) return;
        if (message.recording === null) missing.push(message.thread);
        else recordings.set(message.thread, message.recording);
        settle();
      }

      function look(): void {
        const alive = new Set(performance.now() < giveUp ? running() : []);
        for (const thread of waiting) {
          if (alive.has(thread)) continue;
          waiting.delete(thread);
          missing.push(thread);
        }
        askWaiting();
        settle();
      }

      function askWaiting(): void {
        const left = shorten(question, performance.now() - began);
        post({ type: 'ask', number, threads: [...waiting], question: left });
      }

      function settle(): void {
        if (waiting.size > 0) return;
        finish();
        if (missing.length > 0) post({ type: 'cancel', number });
        resolve({ recordings, missing });
      }

      function cancel(): void {
        finish();
        post({ type: 'cancel', number });
        reject(signal.reason);
      }

      function finish(): void {
        clearInterval(timer);
        signal.removeEventListener('abort', cancel);
        channel.onmessage = () => undefined;
      }
    });
  }

  function post(message: ToThread): void {
    channel.postMessage(message);
  }

  return { ask, close: () => channel.close() };
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
    if (message.type === 'cancel') running.get(message.number)?.abort();
    if (message.type !== 'ask' || message.number <= lastHeard) return;
    if (message.threads.includes(threadId)) {
      lastHeard = message.number;
      void answer(message.number, message.question);
    }
  };

  async function answer(number: number, question: ProfileQuestion): Promise<void> {
    const controller = new AbortController();
    running.set(number, controller);
    const recording = await recorder.record(question, controller.signal).catch(() => null);
    running.delete(number);
    const reply: ToMain = { type: 'answer', number, thread: threadId, recording };
    channel.postMessage(reply);
  }
}
