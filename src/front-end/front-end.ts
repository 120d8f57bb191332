/** Wires one front end: sockets ▸ lists ▸ queues ▸ executor, and its shutdown. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ThreadOptions } from '../../workers/task.worker.ts';
import { createAccess } from '../admin/access.ts';
import type { AdminPage } from '../admin/admin-page.ts';
import { isAdminPath } from '../admin/admin-pages.ts';
import { within } from '../base/within.ts';
import type { Answers } from '../batching/batch-executor.ts';
import type { RequestItem, ResponseItem } from '../batching/frames.ts';
import { createPool } from '../batching/pool.ts';
import { createQueues } from '../batching/queues.ts';
import { createGenerationSource } from '../cache/generation-source.ts';
import { createListCache, type Flight } from '../cache/list-cache.ts';
import type { RedisCache } from '../cache/redis-cache.ts';
import { readHostBasePath, rebaseLinks } from '../contract/base-path.ts';
import { endpoints, isList, type Kind, kinds } from '../contract/endpoints.ts';
import { type ProblemCode, problemCodes, problems } from '../contract/problems.ts';
import { createConnectionRoom } from '../http/connection-room.ts';
import { openLibrary } from '../http/docs/library.ts';
import type { Exchange } from '../http/exchange.ts';
import { listen } from '../http/listener.ts';
import { loadNativeServer } from '../http/native-server.ts';
import { createApiServer } from '../http/serve.ts';
import { stagesOf } from '../http/stages.ts';
import { traceIdOf } from '../http/trace-context.ts';
import type { FrontEndOptions } from '../ipc/front-end-options.ts';
import { createExecutor } from '../tasks/executor.ts';
import { createDatabaseWatch } from '../telemetry/database-watch.ts';
import { createFailureLog } from '../telemetry/failure-log.ts';
import { describeError, type Logger } from '../telemetry/log.ts';
import { adminRoute } from '../telemetry/metrics/front-end-layout.ts';
import { openFrontEndMetrics } from '../telemetry/metrics/front-end-metrics.ts';
import type { RequestRecorder } from '../telemetry/metrics/request-recorder.ts';
import { createProfileRecorder, type ProfileRecorder } from '../telemetry/pprof/process.ts';
import { createSlowLog, type Stages, serverTiming } from '../telemetry/slow-log.ts';
import { createCacheStats } from '../telemetry/stats.ts';
import { createThreadFailureLog } from '../telemetry/thread-failures.ts';

export interface FrontEnd {
  /** The schema is up to date: requests may use the database. Until then they are rejected. */
  open(): void;
  /**
   * Continues to serve and fails the readiness probe, so that load balancers stop sending requests.
   */
  drain(): void;
  /** The loaded native server with its version. */
  readonly httpServer: string;
  /** Profiles of this process and its threads; `undefined`: profiles are off. */
  readonly profiles: ProfileRecorder | undefined;
  /** Stops listening, answers every accepted request, and closes the database connections. */
  stop(): Promise<void>;
}

/** A batch with longer bodies always goes to a worker: parsing them would block the sockets. */
const localBodiesMaxBytes = 64 * 1024;
const expiryIntervalMs = 100;
const readinessTimeoutMs = 1000;
const warmTimeoutMs = 2000;
/** A read batch may run twice; each run is abandoned by its lane before this. */
const batchMarginMs = 1500;
const drainPollMs = 5;
const shortTurnMs = 0.1;
const acceptTurnsMax = 200;
/**
 * If no request arrives for this long on any connection, idle connections are closed. Longer than
 * the transfer of a packet, and short enough for an operator who waits for Ctrl-C.
 */
const quietMs = 250;

/**
 * Rejects when the port is in use or the native server does not load.
 * @param opened the schema is up to date already.
 * @param visitPrimary a page of the administration, made by the primary.
 */
export async function startFrontEnd(
  options: FrontEndOptions,
  opened: boolean,
  log: Logger,
  visitPrimary: AdminPage,
): Promise<FrontEnd> {
  const native = loadNativeServer(options.uwsBuild);
  const { batching } = options;
  const profiles = options.profiles ? createProfileRecorder(() => pool.threadIds()) : undefined;
  const { connections } = options;
  const executorOptions = {
    database: options.database,
    statementTimeoutMs: batching.requestTimeoutMs,
    idleMs: options.connectionIdleMs,
  };
  const metrics =
    options.metricsFile === null
      ? undefined
      : openFrontEndMetrics({
          file: options.metricsFile,
          workerThreads: batching.workerThreads,
          requestTimeoutMs: batching.requestTimeoutMs,
          onFailure: (error) => log.error('metrics cannot be written', describeError(error)),
          onRecovery: () => log.info('metrics are written again'),
        });
  const local = createExecutor({
    ...executorOptions,
    connections: connections.local,
    applicationName: `tasks front end ${options.number}`,
  });
  const pool = createPool({
    threads: batching.workerThreads,
    program: new URL('../../workers/task.worker.js', import.meta.url),
    workerData: {
      executor: {
        ...executorOptions,
        connections: connections.worker,
        applicationName: `tasks worker ${options.number}`,
      },
      profiles: options.profiles,
      metrics: metrics?.threads,
    } satisfies ThreadOptions,
    batchTimeoutMs: 2 * (batching.requestTimeoutMs + batchMarginMs),
    onThreadReplaced: () => metrics?.threadReplaced(),
    onThreadError: createThreadFailureLog(log),
  });
  const generations = createGenerationSource({
    database: options.database,
    applicationName: `tasks front end ${options.number}`,
    timeoutMs: batching.requestTimeoutMs,
    idleMs: options.connectionIdleMs,
    lane: connections.ownGeneration ? undefined : local.lane,
  });
  if (opened) await warm();

  const findPage = openLibrary({
    hostBasePath: options.hostBasePath,
    metricsPath: options.adminPaths.metricsPath,
  });
  if (findPage === undefined) log.warn('/docs and /swagger were not built: run make build');

  const { base: basePath } = readHostBasePath(options.hostBasePath);
  const slowMs = options.slowRequestMs === 0 ? Number.POSITIVE_INFINITY : options.slowRequestMs;
  let isOpen = opened;
  let draining = false;
  let closing = false;
  const slow = createSlowLog(log);
  const isAllowed = createAccess(options.access);
  const server = createApiServer({
    endpoints,
    admin: {
      owns: (path) => isAdminPath(options.adminPaths, path),
      isAllowed,
      visit: visitPrimary,
    },
    onAnswer: metrics === undefined && options.slowRequestMs === 0 ? undefined : noteAnswer,
    onAborted: metrics === undefined ? undefined : noteAborted,
    moreHeaders: options.serverTiming ? timingHeader : undefined,
    requestTimeoutMs: batching.requestTimeoutMs,
    enqueue,
    whyNotReady,
    onFailure: logFailure,
    isClosing: () => closing,
    corsOrigins: options.corsOrigins,
    corsHeaders: options.corsHeaders,
    basePath,
    findPage,
  });

  const failures = createFailureLog(log);
  const watch = createDatabaseWatch({
    ping: () => within(local.ping(), readinessTimeoutMs),
    reasonOf: local.reasonOf,
    log,
  });
  const queues = createQueues(batching, execute, metrics?.batches);
  const batchers = {
    read: queues.open('read', server.answer, server.fail, isGone),
    create: queues.open('create', server.answer, server.fail, isGone),
    change: queues.open('change', server.answer, server.fail, isGone),
    remove: queues.open('remove', server.answer, server.fail, isGone),
    list: queues.open<Flight<Exchange>>('list', landFlight, crashFlight),
    search: queues.open<Flight<Exchange>>('search', landFlight, crashFlight),
  };

  const stats = createCacheStats();
  const redis = await openRedis();
  const lists = createListCache<Exchange>({
    memoryBytesMax: options.cacheBytesMax,
    queueMax: batching.queueMax,
    queueWaitMaxMs: batching.queueWaitMaxMs,
    redis,
    stats,
    linksFor: (links) => rebaseLinks(links, basePath),
    readGeneration: generations.read,
    enqueue: (flight) => batchers[flight.key.kind].add(flight),
    refused: (kind, requests) => metrics?.batches[kind].refused(requests),
    answer: server.answerList,
    fail: server.fail,
  });

  const expiry = setInterval(expire, expiryIntervalMs);
  const listener = listen(native.uws, server, {
    port: options.port,
    addresses: options.addresses,
    shared: options.sharesPort,
  });
  const room = createConnectionRoom({ workerThreads: batching.workerThreads, listener, log });

  /** Loads the Redis client only if Redis is configured. */
  async function openRedis(): Promise<RedisCache | undefined> {
    if (options.redis === null) return undefined;
    const { createRedisCache } = await import('../cache/redis-cache.ts');
    return createRedisCache(options.redis, stats, log);
  }

  /** A silent database must not keep a front end from listening. */
  async function warm(): Promise<void> {
    const warmed = Promise.all([local.warm(), generations.read()]);
    await within(warmed, warmTimeoutMs).catch((error: unknown) => {
      const { stack: _, ...fields } = describeError(error);
      log.warn('PostgreSQL does not answer yet', fields);
    });
  }

  function open(): void {
    if (isOpen) return;
    isOpen = true;
    void warm();
  }

  function enqueue(kind: Kind, exchange: Exchange): boolean {
    if (!isOpen) {
      server.fail(exchange, 'unavailable', 'the schema is not known to be up to date');
      return true;
    }
    if (isList(kind)) return lists.add(exchange);
    const isTaken = batchers[kind].add(exchange);
    if (!isTaken) metrics?.batches[kind].refused(1);
    return isTaken;
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

  /** For a small batch, the transfer to a worker costs more than the work. */
  function execute(kind: Kind, items: readonly RequestItem[], leftMs: number): Promise<Answers> {
    const stays =
      batching.workerThreads === 0 || (items.length < batching.offloadMinBatch && isSmall(items));
    metrics?.batches[kind].executed(stays);
    return (stays ? local : pool).execute(kind, items, leftMs);
  }

  async function whyNotReady(): Promise<string | undefined> {
    if (draining) return 'The service is stopping.';
    if (!isOpen) return 'The service waits for its database, or for the schema in it.';
    const ping = within(local.ping(), readinessTimeoutMs);
    return ping.then(
      () => undefined,
      () => problems.unavailable.message,
    );
  }

  function logFailure(exchange: Exchange, code: ProblemCode, cause: string): void {
    const { method, route } = exchange;
    const isFault = problems[code].status >= 500;
    if (isFault) metrics?.failed(code);
    const stages = stagesNow(exchange);
    const failure = { ...idsOf(exchange), method, route, code, cause, stages };
    failures.add(failure, code === 'internal');
    if (isOpen && isFault && code !== 'overloaded') watch.suspect();
  }

  function arrivalOf({ deadline }: Exchange): number {
    return deadline - batching.requestTimeoutMs;
  }

  function stagesNow(exchange: Exchange): Stages {
    return stagesOf(exchange, arrivalOf(exchange), performance.now());
  }

  function seriesOf(requests: RequestRecorder, { route, method }: Exchange): number {
    return route === '' ? requests.unmatched(method) : requests.seriesOf(route, method);
  }

  function noteAnswer(exchange: Exchange, status: number): void {
    const now = performance.now();
    const milliseconds = now - arrivalOf(exchange);
    if (metrics !== undefined) {
      const { requests } = metrics;
      requests.answered(seriesOf(requests, exchange), status, milliseconds / 1000);
    }
    // A profile takes as long as requested.
    if (milliseconds < slowMs || exchange.route === adminRoute) return;
    const { method, route } = exchange;
    const stages = stagesOf(exchange, arrivalOf(exchange), now);
    slow.add({ ...idsOf(exchange), method, route, status, ...stages });
  }

  function noteAborted(exchange: Exchange): void {
    metrics?.requests.aborted(seriesOf(metrics.requests, exchange));
  }

  function timingHeader(exchange: Exchange): string {
    return `\r\nServer-Timing: ${serverTiming(stagesNow(exchange))}`;
  }

  function writeMetrics(): void {
    metrics?.write({
      openRequests: server.traffic.open,
      queued: (kind) => (isList(kind) ? lists.size(kind) : batchers[kind].size()),
      cache: stats,
      cacheBytes: lists.bytes(),
      redisUp: redis?.isUp(),
      workerThreadIds: pool.threadIds(),
      batchesWaiting: pool.batchesWaiting(),
      isFull: room.isFull(),
      acceptPauses: room.pauses(),
    });
  }

  function expire(): void {
    const now = performance.now();
    lists.expire(now);
    for (const kind of kinds) batchers[kind].expire(now);
    room.look(now);
    writeMetrics();
  }

  function drain(): void {
    draining = true;
  }

  /** Every request whose head was read is answered: see ARCHITECTURE, "Stopping". */
  async function stop(): Promise<void> {
    const giveUp = performance.now() + options.shutdownGraceMs;
    draining = true;
    closing = true;
    await emptyAcceptQueue();
    room.close();
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
    writeMetrics();
    metrics?.close();
    failures.close();
    slow.close();
    redis?.close();
    profiles?.close();
    await Promise.all([pool.close(), local.close(), generations.close()]);
  }

  /** @returns whether all requests were answered and no more arrived, in time. */
  async function fallQuiet(giveUp: number): Promise<boolean> {
    const { traffic } = server;
    let quietSince = performance.now();
    let opened = traffic.opened;
    while (traffic.open > 0 || performance.now() - quietSince < quietMs) {
      if (performance.now() > giveUp) return traffic.open === 0;
      await sleep(drainPollMs);
      // Reads what is readable before it counts as silence.
      await socketsRead();
      if (traffic.open > 0 || traffic.opened !== opened) quietSince = performance.now();
      opened = traffic.opened;
    }
    return true;
  }

  /** Fails the requests still waiting instead of cutting their connections. */
  function failWaiting(): void {
    lists.expire(Number.POSITIVE_INFINITY);
    for (const kind of kinds) batchers[kind].expire(Number.POSITIVE_INFINITY);
  }

  return { open, drain, httpServer: native.name, profiles, stop };
}

function isGone(exchange: Exchange): boolean {
  return !exchange.open;
}

/** The ids of a request: in the service's log, and in its client's traces. */
function idsOf({ requestId, traceparent }: Exchange): { requestId: string; traceId?: string } {
  const traceId = traceIdOf(traceparent);
  return traceId === undefined ? { requestId } : { requestId, traceId };
}

function isSmall(items: readonly RequestItem[]): boolean {
  let bytes = 0;
  for (const { body } of items) bytes += body.length;
  return bytes <= localBodiesMaxBytes;
}

/**
 * Connections in the kernel's accept queue are lost when the listening socket closes. Each turn of
 * the event loop accepts them, so right after a short turn the queue is nearly empty.
 */
async function emptyAcceptQueue(): Promise<void> {
  for (let turn = 0; turn < acceptTurnsMax; turn++) {
    const began = performance.now();
    await socketsRead();
    if (turn > 0 && performance.now() - began < shortTurnMs) return;
  }
}

/** Resolves right after the event loop has read and accepted everything that was ready. */
function socketsRead(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
