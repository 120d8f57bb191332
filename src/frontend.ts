/** The only wiring of one front-end process: sockets ▸ queues ▸ executor, and its end. */
import { type Batcher, createBatcher } from './batching/batcher.ts';
import type { Frame } from './batching/frames.ts';
import { createLocalExecutor } from './batching/local.ts';
import { createPool } from './batching/pool.ts';
import type { BatchingConfig, DatabaseConfig } from './config.ts';
import { endpoints, isRead, type Kind, kinds } from './contract/endpoints.ts';
import type { ProblemCode } from './contract/problems.ts';
import type { Exchange } from './http/exchange.ts';
import { assertNativeServer, listen } from './http/listener.ts';
import { createServer } from './http/serve.ts';
import { describeError, type Logger } from './telemetry/log.ts';

export interface FrontEndOptions {
  readonly number: number;
  readonly port: number;
  /** Other front ends listen on the same port. */
  readonly sharesPort: boolean;
  readonly database: DatabaseConfig;
  readonly batching: BatchingConfig;
  readonly shutdownGraceMs: number;
}

export interface FrontEnd {
  /** Takes no new connection, answers everything accepted, lets go of the database. */
  stop(): Promise<void>;
}

/** Two under way keep PostgreSQL busy while the last answers are written: perf/README.md. */
const batchesInFlightMax = 2;
/** A batch with more bytes than this always travels: parsing it would hold up the sockets. */
const localFrameMaxBytes = 64 * 1024;
const expiryIntervalMs = 100;
const readinessTimeoutMs = 1000;
const drainPollMs = 5;

/** Rejects when the port is taken or the native server does not load. */
export async function startFrontEnd(options: FrontEndOptions, log: Logger): Promise<FrontEnd> {
  assertNativeServer();
  const { batching } = options;
  const executorOptions = {
    database: options.database,
    statementTimeoutMs: batching.requestTimeoutMs,
  };
  const local = createLocalExecutor({
    ...executorOptions,
    applicationName: `tasks front end ${options.number}`,
  });
  const pool = createPool({
    threads: batching.workerThreads,
    executor: { ...executorOptions, applicationName: `tasks worker ${options.number}` },
    onThreadError: (error) => log.error('a worker thread failed', describeError(error)),
  });
  await local.warm().catch((error: unknown) => {
    log.warn('the statements could not be prepared yet', describeError(error));
  });

  let draining = false;
  const server = createServer({
    endpoints,
    requestTimeoutMs: batching.requestTimeoutMs,
    enqueue: (kind, exchange) => batchers[kind].add(exchange),
    checkReady,
    onFailure: logFailure,
    isClosing: () => draining,
  });
  const batchers = createBatchers();
  const expiry = setInterval(expire, expiryIntervalMs);
  const listener = await listen(server, { port: options.port, shared: options.sharesPort });

  function createBatchers(): Readonly<Record<Kind, Batcher<Exchange>>> {
    const create = (kind: Kind): [Kind, Batcher<Exchange>] => [
      kind,
      createBatcher<Exchange>({
        batchMax: batching.batchMax,
        queueMax: batching.queueMax,
        inFlightMax: batchesInFlightMax,
        distinctIds: kind === 'change' || kind === 'remove',
        repeatable: isRead(kind),
        execute: (frame, size) => execute(kind, frame, size),
        answer: server.answer,
        fail: server.fail,
      }),
    ];
    return Object.fromEntries(kinds.map(create)) as Record<Kind, Batcher<Exchange>>;
  }

  /** A hop to a worker costs more than the work of a small batch. */
  function execute(kind: Kind, frame: Frame, size: number): Promise<Frame> {
    const stays = size < batching.offloadMinBatch && frame.byteLength <= localFrameMaxBytes;
    return stays ? local.execute(kind, frame) : pool.execute(kind, frame);
  }

  async function checkReady(): Promise<void> {
    if (draining) throw new Error('draining');
    await withTimeout(local.ping(), readinessTimeoutMs);
  }

  function logFailure(exchange: Exchange, code: ProblemCode, cause: string): void {
    const { requestId, method } = exchange;
    const level = code === 'internal' ? 'error' : 'warn';
    log[level]('a request failed', { requestId, method, code, cause });
  }

  function expire(): void {
    const now = performance.now();
    for (const kind of kinds) batchers[kind].expire(now);
  }

  async function stop(): Promise<void> {
    draining = true;
    listener.stopListening();
    const giveUp = performance.now() + options.shutdownGraceMs;
    while (kinds.some((kind) => batchers[kind].size() > 0) && performance.now() < giveUp) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
    }
    clearInterval(expiry);
    listener.close();
    await Promise.all([pool.close(), local.close()]);
  }

  return { stop };
}

function withTimeout<Result>(promise: Promise<Result>, milliseconds: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
