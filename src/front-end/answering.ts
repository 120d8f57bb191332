/** Questions of the primary in a front end: each is answered, or cancelled while it is worked on. */
import type { ProfileRecorder } from '../telemetry/pprof/process.ts';
import type { ProcessRecording, ProfileQuestion } from '../telemetry/pprof/recording.ts';

export interface Answering {
  ask(id: number, question: ProfileQuestion): void;
  cancel(id: number): void;
  /** Gives up those that are open. */
  close(): void;
}

/**
 * @param recorder `undefined` while there is none: starting, or profiles are off.
 * @param reply `null`: it could not.
 */
export function createAnswering(
  recorder: () => ProfileRecorder | undefined,
  reply: (id: number, recording: ProcessRecording | null) => void,
): Answering {
  const running = new Map<number, AbortController>();

  async function record(id: number, question: ProfileQuestion): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    // Its primary counts it as missing; a profile is no reason to end a front end.
    const recording = await (
      recorder()?.record(question, controller.signal) ?? Promise.reject()
    ).catch(() => null);
    running.delete(id);
    reply(id, recording);
  }

  return {
    ask: (id, question) => void record(id, question),
    cancel: (id) => running.get(id)?.abort(),
    close() {
      for (const controller of running.values()) controller.abort();
    },
  };
}
