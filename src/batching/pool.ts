/**
 * An executor in worker threads. The pool replaces a thread that dies, or that exceeds the batch
 * timeout; only the batches of that thread fail.
 */
import { FixedQueue, Piscina } from 'piscina';
import type { Kind, ListKind, TaskKind } from '../contract/endpoints.ts';
import type { Answers, BatchExecutor } from './batch-executor.ts';
import { type Frame, timingOf } from './frame-head.ts';
import { decodeResponses, encodeRequests, type RequestItem, type ResponseItem } from './frames.ts';
import { decodeListAnswers, encodeLists, type ListAnswer, type ListItem } from './list-frames.ts';

export interface PoolOptions {
  /** 0: the pool runs nothing. */
  readonly threads: number;
  /**
   * The module that a thread runs. Its default export takes a `Batch` and returns the response
   * frame.
   */
  readonly program: URL;
  /** Passed to each thread as its `workerData`; Node copies it. */
  readonly workerData: unknown;
  /** The pool ends a thread whose batch takes longer: nothing else stops an endless loop. */
  readonly batchTimeoutMs: number;
  readonly onThreadReplaced: () => void;
  /** Called with an uncaught error of a thread. */
  readonly onThreadError: (error: Error) => void;
}

/** The argument of the worker function. */
export interface Batch {
  readonly kind: Kind;
  readonly frame: Frame;
}

/** Batches in flight on one thread: while PostgreSQL works, the thread is free for others. */
const batchesPerThread = 16;
/** Never reached: each kind has a bounded number of batches in flight. */
const queuedBatchesMax = 1024;
/**
 * A batch has at most 16 MiB of bodies and each kind two batches: more heap than this is a leak.
 */
const threadHeapMaxMb = 512;
const replaceAfterMs = 100;

/** Node options that a thread accepts too. It fails to start with V8's options. */
const threadOptions =
  /^(--enable-source-maps|--import|--require|-r|--conditions|-C|--no-warnings)(=|$)/;

function sharedOptions(): string[] {
  const { execArgv } = process;
  return execArgv.filter(
    (option, place) =>
      threadOptions.test(option) ||
      // The value of the option before it.
      (!option.startsWith('-') && threadOptions.test(execArgv[place - 1] ?? '')),
  );
}

/**
 * Piscina first tries to `require` the worker's module. A thread that is ended at that moment ends
 * the whole process (Node 20: "must be used on an instantiated module"). With `import` that does
 * not happen.
 */
function importOnly(): string[] {
  const { allowedNodeEnvironmentFlags: flags } = process;
  const isKnown = flags.has('--experimental-require-module');
  return isKnown ? ['--no-experimental-require-module'] : [];
}

export interface Pool extends BatchExecutor {
  /** The ids of the threads that run now. */
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
    // The threads have sockets: with 'sync' they would block on the wait for a batch.
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
   * Piscina replaces dead threads until one dies during its start. Then it waits for a new task,
   * and none comes while all batches wait in its queue. An empty batch is that task.
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
    // Ends the thread that runs the batch, or removes the batch from the pool's queue.
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
