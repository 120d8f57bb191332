/**
 * Reads the data's generation for all requests that wait for it. One read is in flight at a time,
 * and a waiter gets the result of a read that started after the waiter came. That makes a cached
 * list as fresh as the database, whichever client wrote.
 *
 *   add ──▸ waiting ──▸ one read ──▸ known
 *              ▲ a waiter that comes during a read waits for the next one
 */
export interface Generation {
  /** Changes when generations may restart: another server, a server restart, another table file. */
  readonly era: string;
  /** Increases with every change of a task. */
  readonly number: number;
}

export interface GenerationReaderOptions<Waiter> {
  readonly read: () => Promise<Generation>;
  /** Called with a generation that was current after each of these waiters came. */
  readonly known: (waiters: readonly Waiter[], generation: Generation) => void;
  readonly failed: (waiters: readonly Waiter[], error: unknown) => void;
}

export interface GenerationReader<Waiter> {
  /**
   * The reader calls one of `known` and `failed` once for a waiter, unless it is dropped before.
   */
  add(waiter: Waiter): void;
  /** The waiter that has waited longest. */
  oldest(): Waiter | undefined;
  /** Removes the waiters for which `isDropped` returns true. */
  drop(isDropped: (waiter: Waiter) => boolean): void;
}

export function createGenerationReader<Waiter>(
  options: GenerationReaderOptions<Waiter>,
): GenerationReader<Waiter> {
  let waiting: Waiter[] = [];
  /** The waiters of the read in progress. */
  let reading: Waiter[] | undefined;
  let scheduled = false;
  /** The last read had one waiter. */
  let lone = true;

  function add(waiter: Waiter): void {
    waiting.push(waiter);
    if (reading !== undefined || scheduled) return;
    scheduled = true;
    // Under load the read starts after the event loop has read all readable sockets: see
    // batcher.ts.
    if (lone) queueMicrotask(startRead);
    else setImmediate(startRead);
  }

  function startRead(): void {
    scheduled = false;
    if (waiting.length === 0) return;
    lone = waiting.length === 1;
    reading = waiting;
    waiting = [];
    options.read().then(finishRead, failRead);
  }

  function finishRead(generation: Generation): void {
    options.known(endRead(), generation);
  }

  function failRead(error: unknown): void {
    options.failed(endRead(), error);
  }

  /** Starts the next read before it serves these waiters, so that PostgreSQL is not idle. */
  function endRead(): readonly Waiter[] {
    const served = reading ?? [];
    reading = undefined;
    startRead();
    return served;
  }

  function drop(isDropped: (waiter: Waiter) => boolean): void {
    const stays = (waiter: Waiter): boolean => !isDropped(waiter);
    waiting = waiting.filter(stays);
    if (reading !== undefined) reading = reading.filter(stays);
  }

  return { add, oldest: () => reading?.[0] ?? waiting[0], drop };
}
