/**
 * The message of an error, for people. Not for the log of a request: a message may carry values of
 * clients (describeFailure).
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A connection to a name with several addresses fails with one error for each, and no message.
  if (error.message !== '' || !('errors' in error) || !Array.isArray(error.errors)) {
    return error.message;
  }
  return error.errors.map(messageOf).join(', ');
}
