/**
 * The main thread's requests to the worker threads of a process. A named channel reaches them all,
 * including those that a pool starts itself; each thread records itself. The inspector's NodeWorker
 * domain would need no code in the threads. But it sends each profile as JSON through the main
 * thread, which serves the sockets, and delays the end of a thread.
 */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel, threadId } from 'node:worker_threads';
import { type AllAnswers, callAll } from '../../ipc/call-all.ts';
import {
  type AnswerMessage,
  createAnswerer,
  createCaller,
  type ToAnswerer,
} from '../../ipc/rpc.ts';
import { createIsolateRecorder } from './isolate.ts';
import {
  type ProfileQuestion,
  type ThreadRecording,
  threadCancelMaxMs,
  threadDeadlineMs,
} from './recording.ts';

export interface Threads {
  /**
   * Rejects when the signal is aborted, after every thread has confirmed that it stopped, at most
   * `threadCancelMaxMs` later. A thread that ends or does not answer is missing.
   */
  ask(question: ProfileQuestion, signal: AbortSignal): Promise<AllAnswers<number, ThreadRecording>>;
  close(): void;
}

/** All threads receive each message on the channel. */
type Broadcast =
  | {
      readonly to: 'thread';
      readonly thread: number;
      readonly caller: string;
      readonly message: ToAnswerer<ProfileQuestion>;
    }
  | {
      readonly to: 'caller';
      readonly thread: number;
      readonly caller: string;
      readonly message: AnswerMessage<ThreadRecording>;
    };

/** A process has one pool. The channel does not leave the process. */
const channelName = 'tasks profiles';
const lookEveryMs = 100;

/** @param running returns the ids of the running threads. */
export function createThreads(running: () => readonly number[]): Threads {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  const self = randomUUID();
  const caller = createCaller<number, ProfileQuestion, ThreadRecording>({
    send(thread, message) {
      channel.postMessage({ to: 'thread', thread, caller: self, message } satisfies Broadcast);
      return true;
    },
    // Repeated: a dead thread does not answer, and a starting thread missed the first message.
    repeat: {
      everyMs: lookEveryMs,
      isThere: (thread) => running().includes(thread),
      questionLeft: shorten,
    },
  });
  channel.onmessage = ({ data }: MessageEvent) => {
    const heard = data as Broadcast;
    if (heard.to === 'caller' && heard.caller === self) {
      caller.answered(heard.thread, heard.message);
    }
  };

  return {
    ask: (question, signal) =>
      callAll(caller, running(), question, {
        signal,
        timeoutMs: threadDeadlineMs(question),
        cancelMaxMs: threadCancelMaxMs,
      }),
    close() {
      caller.close(new Error('the recorder is closed'));
      channel.close();
    },
  };
}

/** A thread that starts late stops at the same time as the others. */
function shorten(question: ProfileQuestion, byMs: number): ProfileQuestion {
  if (!('milliseconds' in question)) return question;
  return { ...question, milliseconds: Math.max(1, Math.round(question.milliseconds - byMs)) };
}

/** Call it once in each worker thread. It does not keep the thread alive. */
export function answerMainThread(): void {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  const recorder = createIsolateRecorder();
  const answerer = createAnswerer<string, ProfileQuestion, ThreadRecording>({
    answer: recorder.record,
    send(caller, message) {
      channel.postMessage({ to: 'caller', thread: threadId, caller, message } satisfies Broadcast);
    },
  });
  channel.onmessage = ({ data }: MessageEvent) => {
    const heard = data as Broadcast;
    if (heard.to === 'thread' && heard.thread === threadId) {
      answerer.heard(heard.caller, heard.message);
    }
  };
}
