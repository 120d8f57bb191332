/** Limits of time for promises. */

export class TimeoutError extends Error {
  constructor(milliseconds: number) {
    super(`there was no answer within ${milliseconds} ms`);
  }
}

/**
 * Where the event loop was held up, timers come before what sockets have received meanwhile. That
 * is read first, so that a busy machine is not taken for a slow server.
 * @returns cancels it; `false`: it is too late for that.
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
