/** Collects a profile from all processes at once; one profile at a time in the whole service. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AllAnswers } from '../../ipc/call-all.ts';
import type { Recordings } from './merge.ts';
import { createOneAtATime } from './one-at-a-time.ts';
import { createProfileRecorder } from './process.ts';
import { type ProcessRecording, type ProfileQuestion, processDeadlineMs } from './recording.ts';

/**
 * Results by front-end number. A front end that died, is starting, or did not answer in time is
 * missing. Rejects only when the signal is aborted, after all have confirmed that they stopped.
 */
export type AskFrontEnds = (
  question: ProfileQuestion,
  signal: AbortSignal,
  timeoutMs: number,
) => Promise<AllAnswers<number, ProcessRecording>>;

export interface Collection {
  readonly recordings: Recordings;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** The processes and threads without a result. */
  readonly missing: readonly string[];
  readonly notes: readonly string[];
}

export interface Collector {
  /**
   * `null`: another profile is in progress. After an aborted one it waits until all processes have
   * confirmed that they stopped, at most `processCancelMaxMs`. Rejects when the signal is aborted.
   */
  collect(question: ProfileQuestion, signal: AbortSignal): Promise<Collection | null>;
  /** Collects before and after so many milliseconds; no other profile comes between. */
  collectTwice(
    question: ProfileQuestion,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<readonly [before: Collection, after: Collection] | null>;
  close(): void;
}

export function createCollector(ask: AskFrontEnds): Collector {
  const own = createProfileRecorder(() => []);
  const collections = createOneAtATime();

  async function collect(
    question: ProfileQuestion,
    signal: AbortSignal,
  ): Promise<Collection | null> {
    return (await collections.run(signal, () => collectAll(question, signal))) ?? null;
  }

  async function collectTwice(
    question: ProfileQuestion,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<readonly [Collection, Collection] | null> {
    const both = await collections.run(signal, async () => {
      const before = await collectAll(question, signal);
      await sleep(milliseconds, undefined, { signal });
      return [before, await collectAll(question, signal)] as const;
    });
    return both ?? null;
  }

  async function collectAll(question: ProfileQuestion, signal: AbortSignal): Promise<Collection> {
    const startedAt = new Date();
    const began = performance.now();
    const [mine, theirs] = await Promise.allSettled([
      own.record(question, signal),
      ask(question, signal, processDeadlineMs(question)),
    ]);
    if (mine.status === 'rejected') throw mine.reason;
    if (theirs.status === 'rejected') throw theirs.reason;
    const recordings = new Map([['primary', mine.value]]);
    const missing: string[] = [];
    for (const [number, recording] of theirs.value.answers) {
      const name = `frontend-${number}`;
      recordings.set(name, recording);
      for (const thread of recording.missing) missing.push(`${name}/${thread}`);
    }
    for (const number of theirs.value.missing) missing.push(`frontend-${number}`);
    const durationMs =
      'milliseconds' in question ? question.milliseconds : performance.now() - began;
    return { recordings, startedAt, durationMs, missing, notes: notesOf(recordings) };
  }

  return { collect, collectTwice, close: own.close };
}

function notesOf(recordings: Recordings): string[] {
  return [...recordings].flatMap(([process, { threads }]) =>
    Object.entries(threads).flatMap(([thread, { notes }]) =>
      notes.map((note) => `${process}/${thread}: ${note}`),
    ),
  );
}
