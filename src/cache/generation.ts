/**
 * The generation of the data, shared by all requests that wait for it: one read is under way at a
 * time, and a waiter gets the result of one that began after it came. That is what makes a cached
 * list fresh, whoever wrote.
 *
 *   add ──▸ waiting ──▸ one read ──▸ known
 *              ▲ those who come during a read wait for the next one
 */
export interface Generation {
  /** Changes when numbers may begin anew: another server, a restart, another table. */
  readonly era: string;
  /** Rises with every change of a task. */
  readonly number: number;
}

export interface GenerationReaderOptions<Waiter> {
  readonly read: () => Promise<Generation>;
  /** The generation is that of a moment after each of these waiters came. */
  readonly known: (waiters: readonly Waiter[], generation: Generation) => void;
  readonly failed: (waiters: readonly Waiter[], error: unknown) => void;
}

export interface GenerationReader<Waiter> {
  /** Exactly one of `known` and `failed` is called for it, unless it is dropped before. */
  add(waiter: Waiter): void;
  /** Who has waited for longest. */
  oldest(): Waiter | undefined;
  /** Forgets the waiters that this says. */
  drop(isDropped: (waiter: Waiter) => boolean): void;
}

export function createGenerationReader<Waiter>(
  options: GenerationReaderOptions<Waiter>,
): GenerationReader<Waiter> {
  let waiting: Waiter[] = [];
  /** Those for whom the present read is. */
  let reading: Waiter[] | undefined;
  let scheduled = false;
  /** The last read was for one waiter. */
  let lone = true;

  function add(waiter: Waiter): void {
    waiting.push(waiter);
    if (reading !== undefined || scheduled) return;
    scheduled = true;
    // Under load: once all sockets that are readable now have been read. See batcher.ts.
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

  /** The next read begins before the waiters of this one are served: PostgreSQL need not idle. */
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
