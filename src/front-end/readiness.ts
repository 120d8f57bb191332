/** What `/readyz` answers: ready, or the reason why not. */
import { problems } from '../contract/problems.ts';
import type { Phase } from './phase.ts';

/**
 * @param ping rejects after a bounded time when the database does not answer.
 * @returns the reason for clients; `undefined`: ready. Never rejects.
 */
export async function whyNotReady(
  phase: Readonly<Phase>,
  ping: () => Promise<void>,
): Promise<string | undefined> {
  if (phase.isDraining) return 'The service is stopping.';
  if (!phase.isOpen) return 'The service waits for its database, or for the schema in it.';
  return ping().then(
    () => undefined,
    () => problems.unavailable.message,
  );
}
