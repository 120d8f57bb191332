/** The path of a list request: cache ▸ queue of its kind ▸ executor ▸ cache ▸ response. */
import type { ListAnswer } from '../batching/list-frames.ts';
import type { Queues } from '../batching/queues.ts';
import type { Flight, Landing, ListReads } from '../cache/flight.ts';
import type { GenerationSource } from '../cache/generation-source.ts';
import { createListCache } from '../cache/list-cache.ts';
import type { RedisCache } from '../cache/redis-cache.ts';
import { readHostBasePath, rebaseLinks } from '../contract/base-path.ts';
import type { ListKind } from '../contract/endpoints.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Responder } from '../http/responder.ts';
import type { FrontEndOptions } from '../ipc/front-end-options.ts';
import type { Logger } from '../telemetry/log.ts';
import type { FrontEndMetrics } from '../telemetry/metrics/front-end-metrics.ts';
import { type CacheStats, createCacheStats } from '../telemetry/stats.ts';

export interface ListPath {
  /** `false`: too many requests wait, or for too long; this one was not accepted. */
  add(exchange: Exchange): boolean;
  /** Fails requests whose deadline has passed. The front end calls it on a timer. */
  expire(now: number): void;
  /** The requests of a kind that wait for the generation, for Redis or for a read. */
  size(kind: ListKind): number;
  readonly stats: CacheStats;
  /** The bytes of the lists in memory. */
  bytes(): number;
  /** `undefined`: no Redis is configured. */
  redisUp(): boolean | undefined;
  close(): void;
}

export interface ListPathOptions {
  readonly options: FrontEndOptions;
  readonly queues: Queues;
  readonly generations: GenerationSource;
  readonly responder: Responder;
  readonly metrics: FrontEndMetrics | undefined;
  readonly log: Logger;
}

export async function openListPath({
  options,
  queues,
  generations,
  responder,
  metrics,
  log,
}: ListPathOptions): Promise<ListPath> {
  const { batching } = options;
  const { base } = readHostBasePath(options.hostBasePath);
  const stats = createCacheStats();
  const redis = await openRedis(options, stats, log);
  const cache = createListCache<Exchange>({
    memoryBytesMax: options.cacheBytesMax,
    queueMax: batching.queueMax,
    queueWaitMaxMs: batching.queueWaitMaxMs,
    redis,
    stats,
    linksFor: (links) => rebaseLinks(links, base),
    readGeneration: generations.read,
    openReads: (landing) => openReads(queues, landing),
    refused: (kind, requests) => metrics?.batches[kind].refused(requests),
    answer: responder.answerList,
    fail: responder.fail,
  });

  return {
    add: cache.add,
    expire: cache.expire,
    size: cache.size,
    stats,
    bytes: cache.bytes,
    redisUp: () => redis?.isUp(),
    close: () => redis?.close(),
  };
}

/** Loads the Redis client only if a Redis is configured. */
async function openRedis(
  { redis }: FrontEndOptions,
  stats: CacheStats,
  log: Logger,
): Promise<RedisCache | undefined> {
  if (redis === null) return undefined;
  const { createRedisCache } = await import('../cache/redis-cache.ts');
  return createRedisCache(redis, stats, log);
}

function openReads(queues: Queues, landing: Landing<Exchange>): ListReads<Exchange> {
  const { land, crash } = landing;

  function settle(flight: Flight<Exchange>, list: ListAnswer): void {
    if (list.problem === null) land(flight, list);
    else crash(flight, list.problem, list.cause);
  }

  const list = queues.openLists<Flight<Exchange>>('list', settle, crash);
  const search = queues.openLists<Flight<Exchange>>('search', settle, crash);
  return {
    add: (flight) => (flight.key.kind === 'list' ? list : search).add(flight),
    expire(now) {
      list.expire(now);
      search.expire(now);
    },
  };
}
