/** One recording at a time: V8 has one profiler, and a profile that is half of another says nothing. */

export interface OneAtATime {
  /**
   * One that was aborted is waited for: it is about to end. Rejects as `begin` does, and when the
   * signal is aborted.
   * @returns `undefined`: another one is under way.
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
