/**
 * An executor in worker threads, whatever it executes. A thread that dies, or that keeps a batch for longer than any may
 * take, is replaced; only its batches fail.
 */
import { FixedQueue, Piscina } from 'piscina';
import type { Kind, ListKind, TaskKind } from '../contract/endpoints.ts';
import type { Answers, BatchExecutor } from './batch-executor.ts';
import { type Frame, timingOf } from './frame-head.ts';
import { decodeResponses, encodeRequests, type RequestItem, type ResponseItem } from './frames.ts';
import { decodeListAnswers, encodeLists, type ListAnswer, type ListItem } from './list-frames.ts';

export interface PoolOptions {
  /** 0: nothing may be executed here. */
  readonly threads: number;
  /** The module of a thread: its default export takes a `Batch` and returns the frame of its answers. */
  readonly program: URL;
  /** What each thread begins with; it is copied. */
  readonly workerData: unknown;
  /** A batch that takes longer ends its thread: nothing else would end an endless loop. */
  readonly batchTimeoutMs: number;
  readonly onThreadReplaced: () => void;
  /** Told of a thread's uncaught error. */
  readonly onThreadError: (error: Error) => void;
}

/** What a thread is given. */
export interface Batch {
  readonly kind: Kind;
  readonly frame: Frame;
}

/** Batches that one thread has under way at once: the wait for PostgreSQL leaves it idle. */
const batchesPerThread = 16;
/** More can never come: each kind has a bounded number of batches under way. */
const queuedBatchesMax = 1024;
/** A batch has at most 16 MiB of bodies, and each kind two batches; the rest of it is a leak. */
const threadHeapMaxMb = 512;
const replaceAfterMs = 100;

/** Options of this process that a thread may have as well; it refuses V8's and says so by failing. */
const threadOptions =
  /^(--enable-source-maps|--import|--require|-r|--conditions|-C|--no-warnings)(=|$)/;

function sharedOptions(): string[] {
  const { execArgv } = process;
  return execArgv.filter(
    (option, place) =>
      threadOptions.test(option) ||
      // The value of the one before it.
      (!option.startsWith('-') && threadOptions.test(execArgv[place - 1] ?? '')),
  );
}

/**
 * Piscina first tries to `require` the worker's module. A thread that is ended just then takes the
 * whole process along (Node 20: "must be used on an instantiated module"); one that imports does not.
 */
function importOnly(): string[] {
  const { allowedNodeEnvironmentFlags: flags } = process;
  const isKnown = flags.has('--experimental-require-module');
  return isKnown ? ['--no-experimental-require-module'] : [];
}

export interface Pool extends BatchExecutor {
  /** Of the threads that run at the moment. */
  threadIds(): readonly number[];
  /** Batches that no thread has taken yet. */
  batchesWaiting(): number;
}

export function createPool(options: PoolOptions): Pool {
  let closing = false;
  const pool = new Piscina({
    filename: options.program.href,
    minThreads: options.threads,
    maxThreads: Math.max(1, options.threads),
    concurrentTasksPerWorker: batchesPerThread,
    maxQueue: queuedBatchesMax,
    taskQueue: new FixedQueue(),
    // The threads have sockets of their own: they must not block while they wait for a batch.
    atomics: 'async',
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: threadHeapMaxMb },
    workerData: options.workerData,
    execArgv: [...sharedOptions(), ...importOnly()],
  });
  pool.on('error', options.onThreadError);
  pool.on('workerDestroy', () => {
    if (closing) return;
    options.onThreadReplaced();
    setTimeout(replaceThread, replaceAfterMs).unref();
  });

  /**
   * Piscina replaces a thread by itself only until one has died while it was starting; then it
   * waits for a next task, which does not come while all batches wait in its queue.
   */
  function replaceThread(): void {
    if (closing || pool.threads.length >= options.threads) return;
    execute('read', [], 0).catch(() => undefined);
  }

  async function execute(
    kind: TaskKind,
    items: readonly RequestItem[],
    leftMs: number,
  ): Promise<Answers<ResponseItem>> {
    const answers = await run({ kind, frame: encodeRequests(items, leftMs) });
    return { items: decodeResponses(answers), timing: timingOf(answers) };
  }

  async function readLists(
    kind: ListKind,
    items: readonly ListItem[],
    leftMs: number,
  ): Promise<Answers<ListAnswer>> {
    const answers = await run({ kind, frame: encodeLists(items, leftMs) });
    return { items: decodeListAnswers(answers), timing: timingOf(answers) };
  }

  async function run(batch: Batch): Promise<Frame> {
    const late = new AbortController();
    // Ends the thread that has the batch, or takes the batch out of the pool's queue.
    const timer = setTimeout(() => late.abort(), options.batchTimeoutMs);
    try {
      const transferList = [batch.frame.buffer];
      const { signal } = late;
      return (await pool.run(batch, { transferList, signal })) as Frame;
    } catch (error) {
      if (late.signal.aborted) options.onThreadError(new Error('a batch took too long'));
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  function close(): Promise<void> {
    closing = true;
    return pool.close();
  }

  return {
    execute,
    readLists,
    threadIds: () => pool.threads.map(({ threadId }) => threadId),
    batchesWaiting: () => pool.queueSize,
    close,
  };
}
