/**
 * Says once that the database is away, and once that it is back. Whoever meets a failure reports
 * it here; a trivial statement decides whether it was the database, and goes on asking until
 * there is an answer, so that `back` is said without anybody's request.
 *
 *   there ──a failure, and no answer──▸ away ──an answer──▸ there
 */

export interface DatabaseWatchOptions {
  /** Rejects when the database does not answer, in a bounded time. */
  readonly ping: () => Promise<void>;
  /** Why it did not, in words that an operator can act on. */
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
    // Also after an answer: what fails without end must not be asked about without end.
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
