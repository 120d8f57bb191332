/**
 * Answers list requests from memory, from Redis, or from the executor.
 *
 *   add ─▸ generation, read after the request came ─▸ memory ─▸ Redis ─▸ executor ─▸ answer
 *                        └ a list of that generation or a later one answers the request
 *
 * Requests for the same list share one read (a flight). Each list carries the generation of its
 * snapshot, so nothing needs invalidation, and a list stored late cannot be taken for a newer one.
 */

import { listEtag } from '../contract/entity-tags.ts';
import type { ListKey } from '../contract/list-key.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { CacheStats } from '../telemetry/stats.ts';
import type { Flight, Landing, ListReads, ListRequest } from './flight.ts';
import { createGenerationReader, type Generation } from './generation.ts';
import type { ListEntry } from './list-entry.ts';
import { createMemoryCache } from './memory.ts';
import type { RedisCache } from './redis-cache.ts';

/** The cache calls exactly one of `answer` and `fail` once for each request that `add` accepted. */
export interface ListCacheOptions<Request extends ListRequest> {
  /** Bytes; 0: no lists are kept in memory. */
  readonly memoryBytesMax: number;
  /** The most requests that wait, lists and searches together. */
  readonly queueMax: number;
  /**
   * Load shedding: a request is rejected while an earlier one has waited longer than this at the
   * same point, for the generation or for the list.
   */
  readonly queueWaitMaxMs: number;
  readonly redis: RedisCache | undefined;
  readonly stats: CacheStats;
  /** Adds the base path to a Link header. Redis stores it without: other services may share it. */
  readonly linksFor: (links: string) => string;
  readonly readGeneration: () => Promise<Generation>;
  /** Called once: opens the way to the executor. */
  readonly openReads: (landing: Landing<Request>) => ListReads<Request>;
  /** Counts the requests rejected because the queue was full or too slow. */
  readonly refused: (kind: ListKey['kind'], requests: number) => void;
  readonly answer: (request: Request, entry: ListEntry) => void;
  readonly fail: (request: Request, code: ProblemCode, cause: string) => void;
}

export interface ListCache<Request extends ListRequest> {
  /**
   * Starts a request.
   * @returns false when too many wait, or for too long; the request was not accepted.
   */
  add(request: Request): boolean;
  /** Fails requests whose deadline has passed. The front end calls it on a timer. */
  expire(now: number): void;
  /** The requests of a kind that wait for the generation, for Redis or for a read. */
  size(kind: ListKey['kind']): number;
  /** The bytes of the lists in memory. */
  bytes(): number;
}

/** A replica may lag behind. After this many reads the request fails. */
const triesMax = 3;
/** With the cache off, the generation is not read and each request has its own read. */
const unchecked: Generation = { era: '', number: 0 };

/**
 * Creates the cache of a front end. It never throws; it reports every failure by `fail`:
 * `unavailable` (generation unknown, or the list stayed older than the data), `overloaded` (a queue
 * was full or too slow), or the executor's code.
 *
 * Bounds: `queueMax` requests that wait and `memoryBytesMax` bytes of lists. A list is read up to
 * three times until it is as new as the generation.
 * @example
 * const cache = createListCache({ ...limits, redis, openReads: ({ land, crash }) => queue(land, crash), answer, fail });
 * if (!cache.add(request)) rejectOverloaded(request);
 */
export function createListCache<Request extends ListRequest>(
  options: ListCacheOptions<Request>,
): ListCache<Request> {
  const { stats, redis } = options;
  const reads = options.openReads({ land, crash });
  const isOff = options.memoryBytesMax === 0 && redis === undefined;
  const memory = createMemoryCache(options.memoryBytesMax, () => stats.memoryEvictions++);
  const reader = createGenerationReader<Request>({
    read: options.readGeneration,
    known: serve,
    failed(requests) {
      stats.generationReadFailures++;
      for (const request of requests) fail(request, 'unavailable', 'the generation is not known');
    },
  });
  /** The latest flight of each list, by the text of its key. */
  const flights = new Map<string, Flight<Request>>();
  let era = '';
  const waiting = { list: 0, search: 0 };

  function add(request: Request): boolean {
    const { kind } = request.list!;
    const isFull = waiting.list + waiting.search >= options.queueMax;
    if (isFull || isSlow(request, reader.oldest())) {
      options.refused(kind, 1);
      return false;
    }
    waiting[kind]++;
    if (isOff) dispatch(openFlight(request, unchecked));
    else reader.add(request);
    return true;
  }

  /** Each deadline is the arrival plus the same timeout (batcher.ts). */
  function isSlow(request: Request, oldest: { readonly deadline: number } | undefined): boolean {
    return oldest !== undefined && request.deadline - oldest.deadline > options.queueWaitMaxMs;
  }

  function serve(requests: readonly Request[], generation: Generation): void {
    stats.generationReads++;
    stats.generationWaiters += requests.length;
    if (generation.era !== era) {
      memory.clear();
      era = generation.era;
    }
    const opened: Flight<Request>[] = [];
    for (const request of requests) {
      const key = request.list!;
      const entry = memory.get(key.text);
      if (entry !== undefined && entry.generation >= generation.number) {
        stats.memoryHits++;
        answer(request, entry);
        continue;
      }
      stats.memoryMisses++;
      const flight = flights.get(key.text);
      if (flight !== undefined && isNotOlder(flight.floor, generation)) {
        // A flight still queued has waited too long for one more request, which would wait too.
        if (flight.sentAt === 0 && isSlow(request, flight)) {
          options.refused(key.kind, 1);
          fail(request, 'overloaded', 'the read of the list has waited too long');
          continue;
        }
        stats.listReadsShared++;
        flight.requests.push(request);
        continue;
      }
      const own = openFlight(request, generation);
      flights.set(key.text, own);
      opened.push(own);
    }
    if (opened.length === 0) return;
    if (redis?.isThere() === true) void lookUp(redis, generation, opened);
    else for (const flight of opened) dispatch(flight);
  }

  function openFlight(request: Request, floor: Generation): Flight<Request> {
    const key = request.list!;
    const { deadline } = request;
    return {
      query: key.bytes,
      deadline,
      key,
      floor,
      requests: [request],
      tries: 0,
      sentAt: 0,
      timing: undefined,
    };
  }

  async function lookUp(
    there: RedisCache,
    generation: Generation,
    opened: readonly Flight<Request>[],
  ): Promise<void> {
    const keys = opened.map((flight) => flight.key);
    const entries = await there.lookup(generation, keys);
    for (let place = 0; place < opened.length; place++) {
      const flight = opened[place]!;
      const entry = entries[place];
      if (entry === undefined) {
        dispatch(flight);
      } else {
        const shown = { ...entry, links: options.linksFor(entry.links) };
        keep(flight, shown);
        settle(flight, shown);
      }
    }
  }

  function dispatch(flight: Flight<Request>): void {
    flight.tries++;
    stats.listReads++;
    if (reads.add(flight)) return;
    options.refused(flight.key.kind, flight.requests.length);
    crash(flight, 'overloaded', 'the queue is full');
  }

  function land(
    flight: Flight<Request>,
    { generation, links, body }: Pick<ListEntry, 'generation' | 'links' | 'body'>,
  ): void {
    if (generation < flight.floor.number) {
      if (flight.tries < triesMax) dispatch(flight);
      else crash(flight, 'unavailable', 'the list is older than the data');
      return;
    }
    const etag = listEtag(generation, flight.key.tag);
    const shown = options.linksFor(links);
    if (isOff) return settle(flight, { generation, links: shown, etag, body });
    const entry: ListEntry = { generation, links: shown, etag, body: apart(body) };
    keep(flight, entry);
    redis?.store(flight.floor, flight.key, { ...entry, links });
    settle(flight, entry);
  }

  /** A list of another era must not be stored: its generation means other data now. */
  function keep({ key, floor }: Flight<Request>, entry: ListEntry): void {
    if (floor.era === era) memory.set(key.text, entry);
  }

  function settle(flight: Flight<Request>, entry: ListEntry): void {
    close(flight);
    for (const request of flight.requests) {
      request.sentAt = flight.sentAt;
      request.timing = flight.timing;
      answer(request, entry);
    }
  }

  function crash(flight: Flight<Request>, code: ProblemCode, cause: string): void {
    close(flight);
    for (const request of flight.requests) fail(request, code, cause);
  }

  function close(flight: Flight<Request>): void {
    // A later flight of the same list may have replaced it.
    if (flights.get(flight.key.text) === flight) flights.delete(flight.key.text);
  }

  function answer(request: Request, entry: ListEntry): void {
    waiting[request.list!.kind]--;
    options.answer(request, entry);
  }

  function fail(request: Request, code: ProblemCode, cause: string): void {
    waiting[request.list!.kind]--;
    options.fail(request, code, cause);
  }

  function expire(now: number): void {
    reader.drop((request) => {
      if (request.deadline > now) return false;
      fail(request, 'unavailable', 'the generation was not known within the deadline');
      return true;
    });
    reads.expire(now);
  }

  return { add, expire, size: (kind) => waiting[kind], bytes: memory.bytes };
}

function isNotOlder(one: Generation, other: Generation): boolean {
  return one.era === other.era && one.number >= other.number;
}

/** The most other bytes in a list's buffer: they stay in memory as long as the list does. */
const besideMaxBytes = 1024;

/** @returns bytes in a buffer with at most `besideMaxBytes` other bytes; copied if necessary. */
function apart(bytes: Uint8Array): Uint8Array {
  const beside = bytes.buffer.byteLength - bytes.byteLength;
  return beside <= besideMaxBytes ? bytes : new Uint8Array(bytes);
}
