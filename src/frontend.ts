/** The only wiring of one front-end process: sockets ▸ lists ▸ queues ▸ executor, and its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame, ResponseItem } from './batching/frames.ts';
import { createLocalExecutor } from './batching/local.ts';
import { createPool } from './batching/pool.ts';
import { createQueues } from './batching/queues.ts';
import { createGenerationSource } from './cache/generation-source.ts';
import { createListCache, type Flight } from './cache/list-cache.ts';
import { createRedisCache } from './cache/redis.ts';
import type { BatchingConfig, DatabaseConfig, RedisConfig } from './config.ts';
import { endpoints, isList, type Kind, kinds } from './contract/endpoints.ts';
import { type ProblemCode, problemCodes } from './contract/problems.ts';
import { openLibrary } from './documents/library.ts';
import type { Exchange } from './http/exchange.ts';
import { assertNativeServer, listen } from './http/listener.ts';
import { createServer } from './http/serve.ts';
import { createDatabaseWatch } from './telemetry/database-watch.ts';
import { createFailureLog } from './telemetry/failure-log.ts';
import { describeError, type Logger } from './telemetry/log.ts';
import { createProcessRecorder, type ProcessRecorder } from './telemetry/pprof/process.ts';
import { createCacheStats } from './telemetry/stats.ts';

export interface FrontEndOptions {
  readonly number: number;
  readonly port: number;
  /** Other front ends listen on the same port. */
  readonly sharesPort: boolean;
  readonly database: DatabaseConfig;
  readonly batching: BatchingConfig;
  readonly redis: RedisConfig | null;
  /** Bytes of lists that are kept in memory; 0: none. */
  readonly cacheBytesMax: number;
  readonly shutdownGraceMs: number;
  /** Origins that may read answers in a browser; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Where clients reach the service; for documents only. */
  readonly hostBasePath: string;
  /** Profiles may be asked for: the heap is sampled from the start. */
  readonly profiles: boolean;
}

export interface FrontEnd {
  /** The schema is up to date: requests may go to the database. Before, they are refused. */
  open(): void;
  /** Serves as before, and says that it is not ready: whoever balances load turns away. */
  drain(): void;
  /** Of this process and its threads; `undefined` without profiles. */
  readonly profiles: ProcessRecorder | undefined;
  /** Takes no new connection, answers everything accepted, lets go of the database. */
  stop(): Promise<void>;
}

/** A batch with more bytes than this always travels: parsing it would hold up the sockets. */
const localFrameMaxBytes = 64 * 1024;
const expiryIntervalMs = 100;
const readinessTimeoutMs = 1000;
const warmTimeoutMs = 2000;
/** A batch runs a lost statement once more; each try is given up by its lane before this. */
const batchMarginMs = 1500;
const drainPollMs = 5;
const shortTurnMs = 0.1;
const acceptTurnsMax = 200;
/**
 * Once no request has come for this long on any connection, the idle ones are closed. Longer than
 * a packet is on its way, short enough for whoever waits for Ctrl-C.
 */
const quietMs = 250;

/**
 * Rejects when the port is taken or the native server does not load.
 * @param opened the schema is up to date already.
 */
export async function startFrontEnd(
  options: FrontEndOptions,
  opened: boolean,
  log: Logger,
): Promise<FrontEnd> {
  assertNativeServer();
  const { batching } = options;
  const profiles = options.profiles ? createProcessRecorder(() => pool.threadIds()) : undefined;
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
    batchTimeoutMs: 2 * (batching.requestTimeoutMs + batchMarginMs),
    profiles: options.profiles,
    onThreadError: (error) => log.error('a worker thread failed', describeError(error)),
  });
  const generations = createGenerationSource({
    database: options.database,
    applicationName: `tasks front end ${options.number}`,
    timeoutMs: batching.requestTimeoutMs,
  });
  if (opened) await warm();

  const findPage = openLibrary(options.hostBasePath);
  if (findPage === undefined) log.warn('/docs and /swagger were not built: run make build');

  let isOpen = opened;
  let draining = false;
  let closing = false;
  const server = createServer({
    endpoints,
    requestTimeoutMs: batching.requestTimeoutMs,
    enqueue,
    checkReady,
    onFailure: logFailure,
    isClosing: () => closing,
    corsOrigins: options.corsOrigins,
    findPage,
  });

  const failures = createFailureLog(log);
  const watch = createDatabaseWatch({
    ping: () => withTimeout(local.ping(), readinessTimeoutMs),
    log,
  });
  const queues = createQueues(batching, execute);
  const batchers = {
    read: queues.open<Exchange>('read', server.answer, server.fail),
    create: queues.open<Exchange>('create', server.answer, server.fail),
    change: queues.open<Exchange>('change', server.answer, server.fail),
    remove: queues.open<Exchange>('remove', server.answer, server.fail),
    list: queues.open<Flight<Exchange>>('list', landFlight, crashFlight),
    search: queues.open<Flight<Exchange>>('search', landFlight, crashFlight),
  };

  const stats = createCacheStats();
  const redis = options.redis === null ? undefined : createRedisCache(options.redis, stats, log);
  const lists = createListCache<Exchange>({
    memoryBytesMax: options.cacheBytesMax,
    queueMax: batching.queueMax,
    queueWaitMaxMs: batching.queueWaitMaxMs,
    redis,
    stats,
    readGeneration: generations.read,
    enqueue: (flight) => batchers[flight.key.kind].add(flight),
    answer: server.answerList,
    fail: server.fail,
  });

  const expiry = setInterval(expire, expiryIntervalMs);
  const listener = await listen(server, { port: options.port, shared: options.sharesPort });

  /** A database that is silent must not keep a front end from listening. */
  async function warm(): Promise<void> {
    const warmed = Promise.all([local.warm(), generations.read()]);
    await withTimeout(warmed, warmTimeoutMs).catch((error: unknown) => {
      const { stack: _, ...fields } = describeError(error);
      log.warn('the statements could not be prepared yet', fields);
    });
  }

  function open(): void {
    if (isOpen) return;
    isOpen = true;
    void warm();
  }

  function enqueue(kind: Kind, exchange: Exchange): boolean {
    if (isOpen) return isList(kind) ? lists.add(exchange) : batchers[kind].add(exchange);
    server.fail(exchange, 'unavailable', 'the schema is not known to be up to date');
    return true;
  }

  function landFlight(flight: Flight<Exchange>, item: ResponseItem): void {
    const bytes = Buffer.from(item.body.buffer, item.body.byteOffset, item.body.length);
    if (item.problem !== 0) {
      lists.crash(flight, problemCodes[item.problem - 1]!, bytes.toString());
      return;
    }
    const links = bytes.toString('latin1', 0, item.id);
    lists.land(flight, { generation: item.version, links, body: bytes.subarray(item.id) });
  }

  function crashFlight(flight: Flight<Exchange>, code: ProblemCode, cause: string): void {
    lists.crash(flight, code, cause);
  }

  /** A hop to a worker costs more than the work of a small batch. */
  function execute(kind: Kind, frame: Frame, size: number): Promise<Frame> {
    const stays = size < batching.offloadMinBatch && frame.byteLength <= localFrameMaxBytes;
    return stays ? local.execute(kind, frame) : pool.execute(kind, frame);
  }

  async function checkReady(): Promise<void> {
    if (draining) throw new Error('draining');
    if (!isOpen) throw new Error('the schema is not known to be up to date');
    await withTimeout(local.ping(), readinessTimeoutMs);
  }

  function logFailure(exchange: Exchange, code: ProblemCode, cause: string): void {
    const { requestId, method } = exchange;
    failures.add({ requestId, method, code, cause }, code === 'internal');
    if (isOpen && code !== 'overloaded') watch.suspect();
  }

  function expire(): void {
    const now = performance.now();
    lists.expire(now);
    for (const kind of kinds) batchers[kind].expire(now);
  }

  function drain(): void {
    draining = true;
  }

  /** Every request whose head was read is answered; what that means: ARCHITECTURE, "Stopping". */
  async function stop(): Promise<void> {
    const giveUp = performance.now() + options.shutdownGraceMs;
    draining = true;
    closing = true;
    await emptyAcceptQueue();
    listener.stopListening();
    log.info('takes no new connections');
    if (!(await fallQuiet(giveUp))) {
      log.warn('the grace time is over', { unanswered: server.traffic.open });
      failWaiting();
    }
    clearInterval(expiry);
    listener.close();
    log.debug('closed the connections that were left');
    watch.close();
    failures.close();
    redis?.close();
    profiles?.close();
    await Promise.all([pool.close(), local.close(), generations.close()]);
  }

  /** @returns whether everything was answered and no more requests came, in time. */
  async function fallQuiet(giveUp: number): Promise<boolean> {
    const { traffic } = server;
    let quietSince = performance.now();
    let opened = traffic.opened;
    while (traffic.open > 0 || performance.now() - quietSince < quietMs) {
      if (performance.now() > giveUp) return traffic.open === 0;
      await sleep(drainPollMs);
      // What is readable is read before it counts as silence.
      await socketsRead();
      if (traffic.open > 0 || traffic.opened !== opened) quietSince = performance.now();
      opened = traffic.opened;
    }
    return true;
  }

  /** Whoever still waits is told so, rather than cut off. */
  function failWaiting(): void {
    lists.expire(Number.POSITIVE_INFINITY);
    for (const kind of kinds) batchers[kind].expire(Number.POSITIVE_INFINITY);
  }

  return { open, drain, profiles, stop };
}

/**
 * Connections that the kernel holds for us die with the listening socket. They are taken in each
 * turn of the event loop, so in the moment after a short one hardly any are left.
 */
async function emptyAcceptQueue(): Promise<void> {
  for (let turn = 0; turn < acceptTurnsMax; turn++) {
    const began = performance.now();
    await socketsRead();
    if (turn > 0 && performance.now() - began < shortTurnMs) return;
  }
}

/** Resolves right after the event loop has read and accepted what the system had for it. */
function socketsRead(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function withTimeout<Result>(promise: Promise<Result>, milliseconds: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
