/** Records profiles of one process: its main thread and worker threads at the same time. */
import { createIsolateRecorder } from './isolate.ts';
import type { ProcessRecording, ProfileQuestion, ThreadRecording } from './recording.ts';
import { createThreads } from './threads.ts';

export interface ProfileRecorder {
  /** Rejects when the signal is aborted, or when another recording is in progress. */
  record(question: ProfileQuestion, signal: AbortSignal): Promise<ProcessRecording>;
  close(): void;
}

/** @param workers returns the ids of the running worker threads. */
export function createProfileRecorder(workers: () => readonly number[]): ProfileRecorder {
  const own = createIsolateRecorder();
  const others = createThreads(workers);

  async function record(question: ProfileQuestion, signal: AbortSignal): Promise<ProcessRecording> {
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const asked = others.ask(question, both);
    const main = own.record(question, both);
    // When one of the two fails, the other is aborted.
    for (const half of [asked, main]) half.catch((error: unknown) => failed.abort(error));
    await Promise.allSettled([asked, main]);
    const [{ answers, missing }, recording] = await Promise.all([asked, main]);
    const threads: Record<string, ThreadRecording> = { main: recording };
    for (const [id, answer] of answers) threads[`worker-${id}`] = answer;
    return { pid: process.pid, threads, missing: missing.map((id) => `worker-${id}`) };
  }

  function close(): void {
    own.close();
    others.close();
  }

  return { record, close };
}
