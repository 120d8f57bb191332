/** What `/readyz` answers: the front end serves and its database answers, or why not. */
import { within } from '../base/within.ts';
import { problems } from '../contract/problems.ts';
import type { Phase } from './phase.ts';

const pingTimeoutMs = 1000;

/**
 * @param ping rejects when the database does not answer.
 * @returns the reason for clients; `undefined`: ready. Never rejects.
 */
export async function whyNotReady(
  phase: Readonly<Phase>,
  ping: () => Promise<void>,
): Promise<string | undefined> {
  if (phase.isDraining) return 'The service is stopping.';
  if (!phase.isOpen) return 'The service waits for its database, or for the schema in it.';
  return within(ping(), pingTimeoutMs).then(
    () => undefined,
    () => problems.unavailable.message,
  );
}
