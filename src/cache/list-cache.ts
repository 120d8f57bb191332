/**
 * A list request from its arrival to its answer.
 *
 *   add ─▸ generation, read after it came ─▸ memory ─▸ Redis ─▸ executor ─▸ answer
 *                                            └ of that generation or a later one: answered
 *
 * Requests for the same list share one read (a flight). A list bears the generation of its own
 * snapshot, so nothing is ever invalidated, and what is stored late is stored under its own name.
 */

import type { StatementTiming } from '../base/statement-time.ts';
import type { ListKey } from '../contract/list-key.ts';
import type { ProblemCode } from '../contract/problems.ts';
import type { CacheStats } from '../telemetry/stats.ts';
import { createGenerationReader, type Generation } from './generation.ts';
import { type ListEntry, listEtag } from './list-entry.ts';
import { createMemoryCache } from './memory.ts';
import type { RedisCache } from './redis-cache.ts';

/** A request that waits for a list. */
export interface ListRequest {
  readonly list: ListKey | undefined;
  /** As those of the flight that answers it; see batcher.ts. */
  sentAt: number;
  timing: StatementTiming | undefined;
  /** Milliseconds of the monotonic clock at which the answer is due. */
  readonly deadline: number;
}

/** One read of one list, for all who wait for it; as a queue of the executor takes it. */
export interface Flight<Request> {
  /** That of its key. */
  readonly query: Uint8Array;
  readonly deadline: number;
  readonly key: ListKey;
  /** What it brings must not be older. */
  readonly floor: Generation;
  readonly requests: Request[];
  tries: number;
  sentAt: number;
  timing: StatementTiming | undefined;
}

/** For each request that was taken, exactly one of `answer` and `fail` is called, once. */
export interface ListCacheOptions<Request extends ListRequest> {
  /** 0: lists are not kept in memory. */
  readonly memoryBytesMax: number;
  /** The most requests that wait. */
  readonly queueMax: number;
  /** A request is refused while another has waited longer than this where it would wait, too. */
  readonly queueWaitMaxMs: number;
  readonly redis: RedisCache | undefined;
  readonly stats: CacheStats;
  /** The value of a Link header as clients get it. Redis keeps it as it was: others may share that. */
  readonly linksFor: (links: string) => string;
  readonly readGeneration: () => Promise<Generation>;
  /** Called once: the way to the executor. */
  readonly openReads: (landing: Landing<Request>) => ListReads<Request>;
  /** Counts requests that were refused because too many waited, or for too long. */
  readonly refused: (kind: ListKey['kind'], requests: number) => void;
  readonly answer: (request: Request, entry: ListEntry) => void;
  readonly fail: (request: Request, code: ProblemCode, cause: string) => void;
}

/** Hands flights to the executor. */
export interface ListReads<Request> {
  /** `false`: its queue is full. */
  add(flight: Flight<Request>): boolean;
  /** Gives up on flights whose deadline has passed. */
  expire(now: number): void;
}

/** What becomes of a flight that was handed on: one of the two is called, once. */
export interface Landing<Request> {
  /** The executor's answer. `body` may be a view into something larger. */
  land(flight: Flight<Request>, list: Pick<ListEntry, 'generation' | 'links' | 'body'>): void;
  /** The executor's failure. */
  crash(flight: Flight<Request>, code: ProblemCode, cause: string): void;
}

export interface ListCache<Request extends ListRequest> {
  /** `false`: too many wait, or for too long, and the request was not taken. */
  add(request: Request): boolean;
  /** Gives up on requests whose deadline has passed. Called now and then. */
  expire(now: number): void;
  /** Requests of a kind that wait: for the generation, for Redis, or for a read. */
  size(kind: ListKey['kind']): number;
  /** Of the lists in memory. */
  bytes(): number;
}

/** A replica may be behind; one that stays behind is not asked for ever. */
const triesMax = 3;
/** No cache, no check: each list is read for its own request. */
const unchecked: Generation = { era: '', number: 0 };

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
  /** By the text of the key: the latest flight of each list. */
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

  /** Deadlines are given on arrival: their distance is that of the arrivals (batcher.ts). */
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
        // A read that waits for Redis or in its queue waits as long for a request that joins it.
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

  /** A list of another era would be found under a number that means something else now. */
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
    // A later flight of the same list may have its place.
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

/** A list may lie in a buffer with others, which would be kept along with it. */
const besideMaxBytes = 1024;

/** @returns bytes that keep little else alive: their own buffer, if it has hardly more than them. */
function apart(bytes: Uint8Array): Uint8Array {
  const beside = bytes.buffer.byteLength - bytes.byteLength;
  return beside <= besideMaxBytes ? bytes : new Uint8Array(bytes);
}
