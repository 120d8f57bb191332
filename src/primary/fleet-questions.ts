/** Questions of the primary to all front ends, each with a number, and who has still to answer. */
import type { ToFrontEnd, ToPrimary } from '../ipc/messages.ts';
import type { FrontEndRecordings } from '../telemetry/pprof/collect.ts';
import {
  type ProcessRecording,
  type ProfileQuestion,
  processCancelMaxMs,
} from '../telemetry/pprof/recording.ts';

export interface FleetQuestions {
  /**
   * Rejects only when the signal is aborted, once every front end that was asked has confirmed that
   * it has stopped, or is gone, within `processCancelMaxMs`.
   * @param size front ends that there should be: whoever does not run counts as missing.
   */
  ask(
    question: ProfileQuestion,
    size: number,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<FrontEndRecordings>;
  answered(number: number, reply: Extract<ToPrimary, { type: 'answer' }>): void;
  /** This front end is gone. */
  left(number: number): void;
}

interface Open {
  readonly waiting: Set<number>;
  readonly recordings: Map<number, ProcessRecording>;
  settle(): void;
}

/** @param tell sends to one front end. @returns whether it could be sent. */
export function createFleetQuestions(
  tell: (number: number, message: ToFrontEnd) => boolean,
): FleetQuestions {
  const open = new Map<number, Open>();
  let lastId = 0;

  function ask(
    question: ProfileQuestion,
    size: number,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<FrontEndRecordings> {
    const id = ++lastId;
    const recordings = new Map<number, ProcessRecording>();
    const waiting = new Set<number>();

    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      let timer = setTimeout(finish, timeoutMs);
      signal.addEventListener('abort', cancel, { once: true });
      open.set(id, { waiting, recordings, settle });
      for (let number = 1; number <= size; number++) {
        if (tell(number, { type: 'ask', id, question })) waiting.add(number);
      }
      settle();

      function settle(): void {
        if (waiting.size === 0) finish();
      }

      /** The answers of those that were asked are the confirmations. */
      function cancel(): void {
        clearTimeout(timer);
        timer = setTimeout(finish, processCancelMaxMs);
        tellWaiting();
      }

      function finish(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        open.delete(id);
        if (signal.aborted) return reject(signal.reason);
        tellWaiting();
        const missing = Array.from({ length: size }, (_, place) => place + 1).filter(
          (number) => !recordings.has(number),
        );
        resolve({ recordings, missing });
      }

      function tellWaiting(): void {
        for (const number of waiting) tell(number, { type: 'cancel', id });
      }
    });
  }

  function answered(number: number, reply: Extract<ToPrimary, { type: 'answer' }>): void {
    const question = open.get(reply.id);
    if (question?.waiting.delete(number) !== true) return;
    if (reply.recording !== null) question.recordings.set(number, reply.recording);
    question.settle();
  }

  function left(number: number): void {
    for (const { waiting, settle } of open.values()) if (waiting.delete(number)) settle();
  }

  return { ask, answered, left };
}
