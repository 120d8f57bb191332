/** Allows one recording at a time: V8 has one profiler. */

export interface OneAtATime {
  /**
   * Waits for an aborted recording, which ends soon. Rejects as `begin` does, and when the signal
   * is aborted.
   * @returns `undefined`: another recording is in progress.
   */
  run<Result>(signal: AbortSignal, begin: () => Promise<Result>): Promise<Result | undefined>;
}

export function createOneAtATime(): OneAtATime {
  let current: { readonly signal: AbortSignal; readonly ended: Promise<unknown> } | undefined;

  async function run<Result>(
    signal: AbortSignal,
    begin: () => Promise<Result>,
  ): Promise<Result | undefined> {
    while (current !== undefined) {
      if (!current.signal.aborted) return undefined;
      await current.ended;
    }
    signal.throwIfAborted();
    const recording = begin();
    current = { signal, ended: recording.catch(() => undefined) };
    try {
      return await recording;
    } finally {
      current = undefined;
    }
  }

  return { run };
}
