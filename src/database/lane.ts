/**
 * One connection that a kind of work has for itself. A driver that has lost its connection is not
 * to be trusted with another one: postgres.js 3.4 may leave the next statement unanswered for
 * ever, or answer it with the old session's last error. So its client is thrown away, and the
 * next statement goes out on a new one.
 */
import { type Client, isOutOfStep } from './client.ts';
import { connectionLossOf, isRefusal, isStalePlan, outOfStepError } from './connection-lost.ts';

export interface Lane {
  /**
   * Runs on the present client. Rejects as the client does, but what waited for a connection that
   * was refused is told so, because it was not sent; the driver only says that the connection is gone.
   */
  run<Result>(use: (client: Client) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** How often a lane looks whether a statement is late. */
const lookMs = 250;

/**
 * @param open makes a client and calls `onClose` when its connection is gone.
 * @param timeoutMs a statement that has said nothing for longer is given up, and its connection
 * with it: the server ends slow ones earlier, but one that is frozen or cut off ends nothing.
 */
export function createLane(open: (onClose: () => void) => Client, timeoutMs: number): Lane {
  let closing = false;
  let present = openNext();
  /** When each of the statements under way began, oldest first. */
  const underWay = new Set<{ readonly since: number }>();
  /** Clients whose one connection was refused, each with the reason. */
  const refusals = new WeakMap<Client, unknown>();
  const watch = setInterval(giveUpLate, lookMs);
  watch.unref();

  function giveUpLate(): void {
    const [oldest] = underWay;
    if (oldest === undefined || performance.now() - oldest.since <= timeoutMs) return;
    underWay.clear();
    replace(present);
  }

  function openNext(): Client {
    const client = open(() => replace(client));
    return client;
  }

  /** Rejects what the lost client still had, so that nothing waits for it. */
  function replace(lost: Client): void {
    if (closing || lost !== present) return;
    present = openNext();
    lost.end({ timeout: 0 }).catch(() => undefined);
  }

  async function run<Result>(use: (client: Client) => Promise<Result>): Promise<Result> {
    const client = present;
    const statement = { since: performance.now() };
    underWay.add(statement);
    try {
      const result = await use(client);
      // It may be another statement's.
      if (isOutOfStep(client)) throw outOfStepError();
      return result;
    } catch (error) {
      if (isStalePlan(error) && isOutOfStep(client)) {
        replace(client);
        // It did not run; on a new connection it is planned anew.
        return await use(present);
      }
      const isLost = connectionLossOf(error) !== undefined;
      if (isRefusal(error)) refusals.set(client, error);
      else if (isLost && refusals.has(client)) throw refusals.get(client);
      if (isLost) replace(client);
      throw error;
    } finally {
      underWay.delete(statement);
    }
  }

  async function close(): Promise<void> {
    closing = true;
    clearInterval(watch);
    await present.end({ timeout: 1 });
  }

  return { run, close };
}
