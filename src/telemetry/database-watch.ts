/**
 * Logs once when the database goes down, and once when it is back. Code that meets a failure
 * reports it here. A trivial statement then tests the database and is repeated until it succeeds,
 * so the log reports the recovery without a request.
 *
 *   up ──a failure, and no answer──▸ down ──an answer──▸ up
 */

export interface DatabaseWatchOptions {
  /** Rejects after a bounded time when the database does not answer. */
  readonly ping: () => Promise<void>;
  /** Explains a rejection of `ping` to an operator. */
  readonly reasonOf: (error: unknown) => string;
  readonly log: {
    info(message: string): void;
    warn(message: string, fields: { readonly reason: string }): void;
  };
}

export interface DatabaseWatch {
  /** A request failed, perhaps because of the database. */
  suspect(): void;
  close(): void;
}

const intervalMs = 500;

export function createDatabaseWatch(options: DatabaseWatchOptions): DatabaseWatch {
  const { ping, reasonOf, log } = options;
  let isAway = false;
  let asking = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function suspect(): void {
    if (closed || asking || timer !== undefined) return;
    void ask();
  }

  async function ask(): Promise<void> {
    asking = true;
    const reason = await ping().then(() => undefined, reasonOf);
    asking = false;
    if (closed) return;
    if (reason === undefined) {
      if (isAway) log.info('the database is back');
    } else if (!isAway) {
      log.warn('the database is away', { reason });
    }
    isAway = reason !== undefined;
    // Also after a success: requests that always fail must not cause endless pings.
    timer = setTimeout(() => {
      timer = undefined;
      if (isAway) void ask();
    }, intervalMs);
    timer.unref();
  }

  return {
    suspect,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
