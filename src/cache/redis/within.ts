/** A promise with a limit. */

export class TimeoutError extends Error {}

/**
 * Rejects with a {@link TimeoutError} when the promise is not settled in time. Where the event loop
 * was held up, timers come before what the socket has received meanwhile; that is read first, so
 * that a busy machine is not taken for a slow Redis.
 */
export function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void =>
      reject(new TimeoutError(`there was no answer within ${milliseconds} ms`));
    const timer = setTimeout(() => setImmediate(giveUp), milliseconds);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
