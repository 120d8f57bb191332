/** Time limits for promises. */

export class TimeoutError extends Error {
  constructor(milliseconds: number) {
    super(`there was no answer within ${milliseconds} ms`);
  }
}

/**
 * Runs `act` after a delay. When the event loop was blocked, timers fire before the data is read
 * that sockets have received meanwhile. This function lets the event loop read first, so a busy
 * machine is not taken for a slow server.
 * @returns a function that cancels it; that returns `false` when `act` has run.
 */
export function afterDelay(milliseconds: number, act: () => void): () => boolean {
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    act();
  };
  const timer = setTimeout(setImmediate, milliseconds, end);
  return () => {
    if (!isOpen) return false;
    isOpen = false;
    clearTimeout(timer);
    return true;
  };
}

/** Rejects with a {@link TimeoutError} when the promise is not settled in time. */
export function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = afterDelay(milliseconds, () => reject(new TimeoutError(milliseconds)));
    promise.then(
      (value) => cancel() && resolve(value),
      (error: unknown) => cancel() && reject(error),
    );
  });
}
