/**
 * What somebody else has to do in the database before the service can use it: a migration, a right, an
 * extension. Once it is done the same call succeeds, so whoever starts waits for it.
 */

const needName = 'need';

/**
 * @param message what is missing, and what to run.
 * @param need the same for all messages about one need: whoever waits tells of it once. By default each
 *   message is one.
 */
export function awaitedError(message: string, cause?: unknown, need = message): Error {
  return Object.assign(new Error(message, { cause }), { [needName]: need });
}

/** @returns what is needed; `undefined`: nothing that could be waited for. */
export function needOf(error: unknown): string | undefined {
  const need: unknown = error instanceof Error && needName in error ? error[needName] : undefined;
  return typeof need === 'string' ? need : undefined;
}
