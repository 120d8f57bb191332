/**
 * Errors that an operator resolves in the database: a missing migration, privilege or extension.
 * The same call succeeds afterwards, so the service waits and retries.
 */

const needName = 'need';

/**
 * @param message what is missing, and what to run.
 * @param need identifies the need, so that the log reports it once even if the message changes.
 * Default: the message.
 */
export function awaitedError(message: string, cause?: unknown, need = message): Error {
  return Object.assign(new Error(message, { cause }), { [needName]: need });
}

/** @returns the need; `undefined`: waiting would not help. */
export function needOf(error: unknown): string | undefined {
  const need: unknown = error instanceof Error && needName in error ? error[needName] : undefined;
  return typeof need === 'string' ? need : undefined;
}
