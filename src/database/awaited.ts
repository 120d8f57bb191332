/**
 * What somebody else has to do in the database before the service can use it: a migration, a right, an
 * extension. Once it is done the same call succeeds, so whoever starts waits for it.
 */

const isAwaitedName = 'isAwaited';

/** @param message what is missing, and what to run. */
export function awaitedError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { [isAwaitedName]: true });
}

export function isAwaited(error: unknown): boolean {
  return error instanceof Error && isAwaitedName in error;
}
