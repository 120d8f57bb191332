/**
 * The metrics of a front end. The primary builds the same layout to read them: see store.ts. Names
 * follow Prometheus' conventions, except `tasks_count` and `request_latency_histogram`, whose names
 * are part of the contract.
 */
import { endpoints, type Kind, kinds } from '../../contract/endpoints.ts';
import { isFailure, problemCodes, problems } from '../../contract/problems.ts';
import { createLayoutBuilder, type Family } from './layout.ts';
import { addProcess, type ProcessSlots } from './process-layout.ts';
import { createThreadFamilies } from './thread-layout.ts';

export interface FrontEndLayout {
  readonly families: readonly Family[];
  /** The count of all numbers. */
  readonly size: number;
  /** When the front end last wrote, in milliseconds since the epoch. */
  readonly heartbeat: number;
  readonly process: ProcessSlots;
  readonly openRequests: number;
  readonly redisUp: number;
  readonly requests: RequestSlots;
  readonly failures: Readonly<Record<string, number>>;
  readonly batches: Readonly<Record<Kind, BatchSlots>>;
  readonly cache: CacheSlots;
  readonly mainThread: number;
  /** The first slot of each worker thread's region: see thread-regions.ts. */
  readonly workerThreads: readonly number[];
  readonly livingThreads: number;
  readonly threadRestarts: number;
  readonly batchesWaiting: number;
  readonly acceptsConnections: number;
  readonly acceptPauses: number;
}

/** `at(route, method)` is the first of `count` numbers: statuses, latency, aborted. */
export interface RequestSlots {
  readonly begin: number;
  readonly end: number;
  at(route: string, method: string): number | undefined;
  /** The offset of each status from the first number. Other statuses count as `otherStatus`. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly otherStatus: number;
  readonly latency: number;
  readonly aborted: number;
  readonly count: number;
}

export interface BatchSlots {
  readonly sizes: number;
  readonly waits: number;
  readonly statements: number;
  readonly depth: number;
  readonly refused: number;
  readonly local: number;
  readonly offloaded: number;
  readonly lost: number;
}

export interface CacheSlots {
  readonly memoryHits: number;
  readonly memoryMisses: number;
  readonly memoryEvictions: number;
  readonly memoryBytes: number;
  readonly redisHits: number;
  readonly redisMisses: number;
  readonly redisFailures: number;
  readonly redisTimeouts: number;
  readonly redisFillsDropped: number;
  readonly generationReads: number;
  readonly generationReadFailures: number;
  readonly generationWaiters: number;
  readonly listReads: number;
  readonly listReadsShared: number;
}

/** Six per decade from 100 µs to 10 s: a quantile read from them is at most a quarter off. */
export const latencyBounds: readonly number[] = [
  ...[1e-4, 1e-3, 1e-2, 1e-1, 1].flatMap((decade) =>
    // A division, because 3 * 1e-4 is 0.00030000000000000003.
    [1, 1.5, 2, 3, 5, 7].map((step) => Number((step * decade).toPrecision(3))),
  ),
  10,
];
export const sizeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;
/** The label of paths that are no endpoint: see `routes`. */
export const unmatchedRoute = 'unmatched';
export const adminRoute = 'admin';
export const documentRoute = 'documents';
export const otherMethod = 'other';

const routes = [
  ...new Set(endpoints.map(({ path }) => path)),
  adminRoute,
  documentRoute,
  unmatchedRoute,
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', otherMethod];
const statuses = [
  ...new Set([200, 201, 204, 301, 304, ...Object.values(problems).map(({ status }) => status)]),
].sort((one, other) => one - other);

/** @param threadRegions the number of regions for worker threads. */
export function createFrontEndLayout(threadRegions: number): FrontEndLayout {
  const layout = createLayoutBuilder();
  const perProcess = (name: string, help: string, type: 'counter' | 'gauge') =>
    layout.family({ name, help, type, labelNames: [], perProcess: true });
  const shared = (
    name: string,
    help: string,
    type: 'counter' | 'gauge',
    labelNames: readonly string[] = [],
    sparse = false,
  ) => layout.family({ name, help, type, labelNames, sparse });
  const histogram = (
    name: string,
    help: string,
    labelNames: readonly string[],
    bounds: readonly number[],
  ) => layout.family({ name, help, type: 'histogram', labelNames, bounds, sparse: true });

  const heartbeat = layout.reserve(1);

  const total = shared(
    'requests_total',
    'Requests that were answered, as clients see them.',
    'counter',
    ['method', 'route', 'status'],
    true,
  );
  const latency = histogram(
    'request_latency_histogram',
    "Seconds from a request's last byte to its answer.",
    ['method', 'route'],
    latencyBounds,
  );
  const aborted = shared(
    'requests_aborted_total',
    'Requests whose client left before the answer.',
    'counter',
    ['method', 'route'],
    true,
  );
  const begin = layout.size();
  const starts = new Map<string, number>();
  for (const route of routes) {
    for (const method of methods) {
      starts.set(`${method} ${route}`, layout.size());
      for (const status of statuses) total.add(method, route, String(status));
      total.add(method, route, 'other');
      latency.add(method, route);
      aborted.add(method, route);
    }
  }
  const end = layout.size();
  const requests: RequestSlots = {
    begin,
    end,
    at: (route, method) => starts.get(`${method} ${route}`),
    statuses: new Map(statuses.map((status, place) => [status, place])),
    otherStatus: statuses.length,
    latency: statuses.length + 1,
    aborted: statuses.length + 1 + latencyBounds.length + 2,
    count: (end - begin) / (routes.length * methods.length),
  };

  const failed = shared(
    'failures_total',
    'Requests that were answered 500 or 503, by the code in the answer.',
    'counter',
    ['code'],
  );
  const failures = Object.fromEntries(
    problemCodes.filter(isFailure).map((code) => [code, failed.add(code)]),
  );

  const byKind = ['kind'] as const;
  const size = histogram('batch_size', 'Requests in a batch.', byKind, sizeBounds);
  const wait = histogram(
    'batch_wait_seconds',
    'How long the first request of a batch has waited when the batch goes out.',
    byKind,
    latencyBounds,
  );
  const statement = histogram(
    'statement_seconds',
    "What the database took for a batch's statements, without the wait for a connection.",
    byKind,
    latencyBounds,
  );
  const depth = shared(
    'queue_depth',
    'Requests that wait or are under way; lists also while they wait for the generation.',
    'gauge',
    byKind,
  );
  const refused = shared(
    'requests_refused_total',
    'Requests that a queue did not take, because too many waited or for too long.',
    'counter',
    byKind,
  );
  const executed = shared(
    'batches_total',
    "Batches by the thread that ran them: the front end's own, or a worker.",
    'counter',
    ['kind', 'thread'],
  );
  const lost = shared(
    'batches_lost_total',
    'Batches whose thread died or took too long.',
    'counter',
    byKind,
  );
  const batches = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      {
        sizes: size.add(kind),
        waits: wait.add(kind),
        statements: statement.add(kind),
        depth: depth.add(kind),
        refused: refused.add(kind),
        local: executed.add(kind, 'front end'),
        offloaded: executed.add(kind, 'worker'),
        lost: lost.add(kind),
      },
    ]),
  ) as Readonly<Record<Kind, BatchSlots>>;

  const lookups = shared('cache_lookups_total', 'Lists that were looked for.', 'counter', [
    'layer',
    'result',
  ]);
  const generations = shared(
    'generation_reads_total',
    'Reads of the generation: requests that wait together share one.',
    'counter',
    ['result'],
  );
  const lists = shared(
    'list_reads_total',
    'Lists that no cache had: read from PostgreSQL, or shared with such a read.',
    'counter',
    ['result'],
  );
  const cache: CacheSlots = {
    memoryHits: lookups.add('memory', 'hit'),
    memoryMisses: lookups.add('memory', 'miss'),
    redisHits: lookups.add('redis', 'hit'),
    redisMisses: lookups.add('redis', 'miss'),
    memoryEvictions: shared(
      'cache_evictions_total',
      'Lists that left the memory for newer ones.',
      'counter',
    ).add(),
    memoryBytes: perProcess('cache_memory_bytes', 'Lists in memory.', 'gauge').add(),
    redisFailures: shared(
      'redis_failures_total',
      'Commands that Redis refused, garbled or did not answer in time.',
      'counter',
    ).add(),
    redisTimeouts: shared(
      'redis_timeouts_total',
      'Commands, and probes, that Redis did not answer in time.',
      'counter',
    ).add(),
    redisFillsDropped: shared(
      'redis_fills_dropped_total',
      'Lists that were not stored because Redis was behind, or takes none.',
      'counter',
    ).add(),
    generationReads: generations.add('ok'),
    generationReadFailures: generations.add('failed'),
    generationWaiters: shared(
      'generation_waiters_total',
      'Requests that were served by reads of the generation; divided by those: the sharing.',
      'counter',
    ).add(),
    listReads: lists.add('read'),
    listReadsShared: lists.add('shared'),
  };

  const addThread = createThreadFamilies(layout);
  const mainThread = addThread('main');
  const workerThreads = Array.from({ length: threadRegions }, (_, place) =>
    addThread(`worker-${place + 1}`),
  );

  return {
    heartbeat,
    requests,
    failures,
    batches,
    cache,
    mainThread,
    workerThreads,
    livingThreads: perProcess('worker_threads', 'Worker threads that run.', 'gauge').add(),
    batchesWaiting: perProcess(
      'worker_batches_waiting',
      'Batches that no worker thread has taken yet.',
      'gauge',
    ).add(),
    threadRestarts: perProcess(
      'worker_thread_restarts_total',
      'Worker threads that were replaced.',
      'counter',
    ).add(),
    acceptsConnections: perProcess(
      'accepts_connections',
      'Whether a front end takes new connections: 0 while it may open no more files.',
      'gauge',
    ).add(),
    acceptPauses: perProcess(
      'accept_pauses_total',
      'How often a front end stopped to take new connections.',
      'counter',
    ).add(),
    process: addProcess(layout),
    openRequests: perProcess(
      'requests_open',
      'Requests whose answer is not written yet.',
      'gauge',
    ).add(),
    redisUp: perProcess(
      'redis_up',
      'Whether Redis serves lists, as the log tells it; without Redis there is none.',
      'gauge',
    ).add(),
    families: layout.families(),
    size: layout.size(),
  };
}
