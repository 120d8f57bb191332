/** Wires the parts of one front-end process, and stops them: sockets, lists, queues, executors. */
import { createAccess } from '../admin/access.ts';
import type { AdminPage } from '../admin/admin-page.ts';
import { isAdminPath } from '../admin/admin-pages.ts';
import { within } from '../base/within.ts';
import type { Batcher } from '../batching/batcher.ts';
import { createQueues, type Queues } from '../batching/queues.ts';
import { createGenerationSource, type GenerationSource } from '../cache/generation-source.ts';
import { readHostBasePath } from '../contract/base-path.ts';
import { endpoints, isList, type Kind, type TaskKind } from '../contract/endpoints.ts';
import { createConnectionRoom } from '../http/connection-room.ts';
import { openLibrary } from '../http/docs/library.ts';
import type { Exchange } from '../http/exchange.ts';
import { listen } from '../http/listener.ts';
import { loadNativeServer } from '../http/native-server.ts';
import { createResponder, type Responder } from '../http/responder.ts';
import { createRequestHandler } from '../http/serve.ts';
import type { FrontEndOptions } from '../ipc/front-end-options.ts';
import type { Executor } from '../tasks/executor.ts';
import { createDatabaseWatch } from '../telemetry/database-watch.ts';
import { describeError, type Logger } from '../telemetry/log.ts';
import {
  type FrontEndMetrics,
  openFrontEndMetrics,
} from '../telemetry/metrics/front-end-metrics.ts';
import { createProfileRecorder, type ProfileRecorder } from '../telemetry/pprof/process.ts';
import { drainConnections } from './drain.ts';
import { createExecutors } from './executors.ts';
import { openListPath } from './list-path.ts';
import type { Phase } from './phase.ts';
import { whyNotReady } from './readiness.ts';
import { createRequestLog } from './request-log.ts';

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

const expiryIntervalMs = 100;
const pingTimeoutMs = 1000;
const warmTimeoutMs = 2000;

/**
 * Rejects when the port is in use or the native server does not load.
 * @param opened the schema is up to date already.
 * @param visitPrimary asks the primary for one of the operators' pages.
 */
export async function startFrontEnd(
  options: FrontEndOptions,
  opened: boolean,
  log: Logger,
  visitPrimary: AdminPage,
): Promise<FrontEnd> {
  const native = loadNativeServer(options.uwsBuild);
  const phase: Phase = { isOpen: opened, isDraining: false, isClosing: false };
  const metrics = openMetrics(options, log);
  const executors = createExecutors(options, metrics, log);
  const { local } = executors;
  const profiles = options.profiles ? createProfileRecorder(executors.threadIds) : undefined;
  const generations = openGenerations(options, local);
  if (opened) await warm(local, generations, log);

  const ping = (): Promise<void> => within(local.ping(), pingTimeoutMs);
  const watch = createDatabaseWatch({
    ping,
    reasonOf: local.reasonOf,
    log,
  });
  const requestLog = createRequestLog(options, phase, metrics, watch, log);
  const responder = createResponder({
    onAnswer: requestLog.onAnswer,
    onFailure: requestLog.onFailure,
    moreHeaders: requestLog.moreHeaders,
    isClosing: () => phase.isClosing,
    corsOrigins: options.corsOrigins,
    corsHeaders: options.corsHeaders,
    basePath: readHostBasePath(options.hostBasePath).base,
  });
  const queues = createQueues(options.batching, executors.either, metrics?.batches);
  const batchers = openBatchers(queues, responder);
  const lists = await openListPath({ options, queues, generations, responder, metrics, log });

  const isAllowed = createAccess(options.access);
  const handle = createRequestHandler({
    responder,
    endpoints,
    admin: {
      owns: (path) => isAdminPath(options.adminPaths, path),
      isAllowed,
      visit: visitPrimary,
    },
    onAborted: requestLog.onAborted,
    requestTimeoutMs: options.batching.requestTimeoutMs,
    enqueue,
    whyNotReady: () => whyNotReady(phase, ping),
    findPage: openPages(options, log),
  });
  const listener = listen(native.uws, handle, {
    port: options.port,
    addresses: options.addresses,
    shared: options.sharesPort,
  });
  const { workerThreads } = options.batching;
  const room = createConnectionRoom({ workerThreads, listener, log });
  const expiry = setInterval(look, expiryIntervalMs);

  function enqueue(kind: Kind, exchange: Exchange): boolean {
    if (!phase.isOpen) {
      responder.fail(exchange, 'unavailable', 'the schema is not known to be up to date');
      return true;
    }
    if (isList(kind)) return lists.add(exchange);
    const isTaken = batchers[kind].add(exchange);
    if (!isTaken) metrics?.batches[kind].refused(1);
    return isTaken;
  }

  function writeMetrics(): void {
    metrics?.write({
      openRequests: responder.traffic.open,
      queued: (kind) => (isList(kind) ? lists.size(kind) : batchers[kind].size()),
      cache: lists.stats,
      cacheBytes: lists.bytes(),
      redisUp: lists.redisUp(),
      workerThreadIds: executors.threadIds(),
      batchesWaiting: executors.batchesWaiting(),
      isFull: room.isFull(),
      acceptPauses: room.pauses(),
    });
  }

  /** Fails requests whose deadline has passed. */
  function expire(now: number): void {
    lists.expire(now);
    for (const batcher of Object.values(batchers)) batcher.expire(now);
  }

  function look(): void {
    const now = performance.now();
    expire(now);
    room.look(now);
    writeMetrics();
  }

  async function stop(): Promise<void> {
    phase.isDraining = true;
    phase.isClosing = true;
    await drainConnections({
      traffic: responder.traffic,
      room,
      listener,
      graceMs: options.shutdownGraceMs,
      // An error instead of a broken connection.
      failWaiting: () => expire(Number.POSITIVE_INFINITY),
      log,
    });
    clearInterval(expiry);
    listener.close();
    log.debug('closed the connections that were left');
    watch.close();
    writeMetrics();
    metrics?.close();
    requestLog.close();
    lists.close();
    profiles?.close();
    await Promise.all([executors.close(), generations.close()]);
  }

  return {
    open() {
      if (phase.isOpen) return;
      phase.isOpen = true;
      void warm(local, generations, log);
    },
    drain() {
      phase.isDraining = true;
    },
    httpServer: native.name,
    profiles,
    stop,
  };
}

function openMetrics(
  { metricsFile, batching }: FrontEndOptions,
  log: Logger,
): FrontEndMetrics | undefined {
  if (metricsFile === null) return undefined;
  return openFrontEndMetrics({
    file: metricsFile,
    workerThreads: batching.workerThreads,
    requestTimeoutMs: batching.requestTimeoutMs,
    onFailure: (error) => log.error('metrics cannot be written', describeError(error)),
    onRecovery: () => log.info('metrics are written again'),
  });
}

function openGenerations(options: FrontEndOptions, local: Executor): GenerationSource {
  return createGenerationSource({
    database: options.database,
    applicationName: `tasks front end ${options.number}`,
    timeoutMs: options.batching.requestTimeoutMs,
    idleMs: options.connectionIdleMs,
    lane: options.connections.ownGeneration ? undefined : local.lane,
  });
}

/** Bounded: a front end listens even if the database does not answer. */
async function warm(local: Executor, generations: GenerationSource, log: Logger): Promise<void> {
  const warmed = Promise.all([local.warm(), generations.read()]);
  await within(warmed, warmTimeoutMs).catch((error: unknown) => {
    const { stack: _, ...fields } = describeError(error);
    log.warn('PostgreSQL does not answer yet', fields);
  });
}

function openBatchers(
  queues: Queues,
  { answer, fail }: Responder,
): Readonly<Record<TaskKind, Batcher<Exchange>>> {
  return {
    read: queues.open('read', answer, fail, isGone),
    create: queues.open('create', answer, fail, isGone),
    change: queues.open('change', answer, fail, isGone),
    remove: queues.open('remove', answer, fail, isGone),
  };
}

function isGone(exchange: Exchange): boolean {
  return !exchange.open;
}

function openPages(options: FrontEndOptions, log: Logger): ReturnType<typeof openLibrary> {
  const findPage = openLibrary({
    hostBasePath: options.hostBasePath,
    metricsPath: options.adminPaths.metricsPath,
  });
  if (findPage === undefined) log.warn('/docs and /swagger were not built: run make build');
  return findPage;
}
