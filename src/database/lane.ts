/**
 * One connection that a kind of work has for itself. A driver that has lost its connection is not
 * to be trusted with another one: postgres.js 3.4 may leave the next statement unanswered for
 * ever, or answer it with the old session's last error. So its client is thrown away, and the
 * next statement goes out on a new one.
 */
import type { Client } from './client.ts';
import { connectionLossOf } from './connection-lost.ts';

export interface Lane {
  /** Runs on the present client. Rejects as the client does. */
  run<Result>(use: (client: Client) => Promise<Result>): Promise<Result>;
  /** Throws the present connection away: what runs on it rejects. For a server that says nothing. */
  abandon(): void;
  close(): Promise<void>;
}

/** @param open makes a client and calls `onClose` when its connection is gone. */
export function createLane(open: (onClose: () => void) => Client): Lane {
  let closing = false;
  let present = openNext();

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
    try {
      return await use(client);
    } catch (error) {
      if (connectionLossOf(error) !== undefined) replace(client);
      throw error;
    }
  }

  async function close(): Promise<void> {
    closing = true;
    await present.end({ timeout: 1 });
  }

  return { run, abandon: () => replace(present), close };
}
