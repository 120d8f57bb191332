/** Records profiles of the current thread through an inspector session with itself. */
import { Session } from 'node:inspector/promises';
import { isMainThread } from 'node:worker_threads';
import { createOneAtATime } from './one-at-a-time.ts';
import { recordCpu } from './record-cpu.ts';
import { recordDelay } from './record-delay.ts';
import { startHeapRecorder } from './record-heap.ts';
import { recordResources } from './record-resources.ts';
import { recordTrace } from './record-trace.ts';
import { emptyRecording, type ProfileQuestion, type ThreadRecording } from './recording.ts';

export interface IsolateRecorder {
  /**
   * Rejects when the signal is aborted, or when another recording is in progress. It waits for an
   * aborted one, which ends soon.
   */
  record(question: ProfileQuestion, signal: AbortSignal): Promise<ThreadRecording>;
  close(): void;
}

export function createIsolateRecorder(): IsolateRecorder {
  const session = new Session();
  session.connect();
  // From the start, so that a heap profile includes the service's initial allocations.
  const heap = startHeapRecorder(session);
  heap.catch(() => undefined);
  const recordings = createOneAtATime();

  async function record(question: ProfileQuestion, signal: AbortSignal): Promise<ThreadRecording> {
    const recording = await recordings.run(signal, () => carryOut(question, signal));
    if (recording === undefined) throw new Error('another recording is under way');
    return recording;
  }

  async function carryOut(
    question: ProfileQuestion,
    signal: AbortSignal,
  ): Promise<ThreadRecording> {
    switch (question.kind) {
      case 'cpu':
        return recordCpu(session, question, isMainThread, signal);
      case 'heap':
        return (await heap).live(question.collect);
      case 'allocations':
        return (await heap).allocated(question.milliseconds, signal);
      case 'delay':
        return recordDelay(question.milliseconds, signal);
      case 'resources':
        return recordResources(isMainThread);
      case 'trace':
        // A trace covers all threads of a process, and only the main thread may start it.
        return isMainThread ? recordTrace(session, question.milliseconds, signal) : emptyRecording;
    }
  }

  return { record, close: () => session.disconnect() };
}
