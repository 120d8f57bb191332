/**
 * How a process's main thread asks its worker threads. A channel by name reaches them all, also
 * those that a pool starts and replaces by itself; each thread looks into itself. (The inspector's
 * NodeWorker domain would do without code in the threads, but sends every profile as JSON through
 * the main thread, which holds the sockets, and keeps an ending thread waiting for its debugger.)
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
   * Rejects when the signal is aborted, once every thread that was asked has confirmed that it has
   * ended, within `threadCancelMaxMs`. A thread that ends or does not answer is left out.
   */
  ask(question: ProfileQuestion, signal: AbortSignal): Promise<AllAnswers<number, ThreadRecording>>;
  close(): void;
}

/** Everything on the channel is heard by all. */
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

/** A process has one pool. The channel ends at the process. */
const channelName = 'tasks profiles';
const lookEveryMs = 100;

/** @param running the ids of the threads that run at the moment. */
export function createThreads(running: () => readonly number[]): Threads {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  const self = randomUUID();
  const caller = createCaller<number, ProfileQuestion, ThreadRecording>({
    send(thread, message) {
      channel.postMessage({ to: 'thread', thread, caller: self, message } satisfies Broadcast);
      return true;
    },
    // A thread that has died says nothing, and one that is just starting has not heard it.
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
