/**
 * Lists that front ends share through Redis. Redis cannot make a response wrong or late: a key
 * contains the generation, a value its checksum, and a lookup has a short timeout. A server that
 * failed gets no requests until a probe succeeds (redis/node.ts).
 */
import type { RedisConfig } from '../config/config.ts';
import { listEtag } from '../contract/entity-tags.ts';
import type { ListKey } from '../contract/list-key.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CacheStats } from '../telemetry/stats.ts';
import type { Generation } from './generation.ts';
import type { ListEntry } from './list-entry.ts';
import { createCluster } from './redis/cluster.ts';
import { createOneServer } from './redis/one-server.ts';
import { reasonOf, UntrustedError } from './redis/reasons.ts';
import type { Fill, RedisServers } from './redis/servers.ts';
import { createTold } from './redis/told.ts';
import { createTrouble } from './redis/trouble.ts';
import { decodeStored, encodeStored, storedKey } from './stored-list.ts';

export interface RedisCache {
  /** False: a lookup would find nothing. */
  isThere(): boolean;
  /** As the log reports it: short pauses after a failure do not count. */
  isUp(): boolean;
  /** One entry or `undefined` for each key, in order. Never rejects. */
  lookup(generation: Generation, keys: readonly ListKey[]): Promise<(ListEntry | undefined)[]>;
  /** Sent with all other lists of this turn of the event loop. The caller does not wait. */
  store(generation: Generation, key: ListKey, entry: ListEntry): void;
  close(): void;
}

const lookIntervalMs = 500;
/** The most bytes that wait to be stored; further lists are dropped. */
const fillBytesMax = 8 * 1024 * 1024;
const valueBytesMax = 1024 * 1024;
/** Random share of the TTL, so that lists stored at the same time do not expire together. */
const ttlJitter = 0.1;
/** A Redis that refuses lists gets another attempt at this interval. */
const offerIntervalMs = 500;
/** A full Redis stores a list now and then, when another one has expired. */
const refusalQuietMs = 3000;

export function createRedisCache(config: RedisConfig, stats: CacheStats, log: Logger): RedisCache {
  const { place, keyPrefix } = config;
  const servers: RedisServers =
    place.form === 'cluster'
      ? createCluster(config, place.nodes, stats)
      : createOneServer(config, place, stats);
  const presence = createTold(log, {
    first: 'lists are cached in Redis',
    lost: 'the cache in Redis is away',
    found: 'the cache in Redis is back',
  });
  const refusals = createTrouble(refusalQuietMs, () => performance.now());
  const acceptance = createTold(log, {
    lost: 'Redis takes no lists',
    found: 'Redis takes lists again',
  });
  let fills: Fill[] = [];
  let fillBytes = 0;
  let filling = false;
  let offeredAt = 0;
  let closed = false;

  const looks = setInterval(look, lookIntervalMs);
  looks.unref();

  function look(): void {
    servers.look();
    presence.look(servers.troubles(), servers.isWhole());
    acceptance.look([{ trouble: refusals }], true);
  }

  function lookup(
    generation: Generation,
    keys: readonly ListKey[],
  ): Promise<(ListEntry | undefined)[]> {
    const names = keys.map((key) => storedKey(generation, key.text, keyPrefix));
    return servers.lookup(names, (index, value) => {
      if (value === null) {
        stats.redisMisses++;
        return undefined;
      }
      const stored = value instanceof Uint8Array ? decodeStored(names[index]!, value) : undefined;
      if (stored === undefined) throw new UntrustedError();
      stats.redisHits++;
      const etag = listEtag(generation.number, keys[index]!.tag);
      return { ...stored, generation: generation.number, etag };
    });
  }

  function store(generation: Generation, key: ListKey, entry: ListEntry): void {
    if (!servers.isThere() || entry.body.length > valueBytesMax) return;
    if (fillBytes + entry.body.length > fillBytesMax || !isTime()) {
      stats.redisFillsDropped++;
      return;
    }
    const { era } = generation;
    const name = storedKey({ era, number: entry.generation }, key.text, keyPrefix);
    const value = encodeStored(name, entry);
    fills.push({ key: name, value, keptMs: timeToLiveMs() });
    fillBytes += value.length;
    if (fills.length > 1 || filling) return;
    filling = true;
    setImmediate(fillAll);
  }

  function isTime(): boolean {
    if (refusals.current() === undefined) return true;
    const now = performance.now();
    if (now - offeredAt < offerIntervalMs) return false;
    offeredAt = now;
    return true;
  }

  /** Sends one pipeline at a time; lists that arrive meanwhile go into the next one. */
  async function fillAll(): Promise<void> {
    while (!closed && fills.length > 0) {
      const piece = fills;
      fills = [];
      fillBytes = 0;
      noteRefusals(await servers.store(piece));
    }
    filling = false;
  }

  /** A Redis that is full, or a replica, still answers lookups. */
  function noteRefusals(errors: readonly (Error | null)[]): void {
    if (errors.length === 0) return;
    const refused = errors.find((error) => error !== null);
    if (refused === undefined || refused === null) {
      refusals.succeed(true);
    } else {
      stats.redisFailures++;
      refusals.fail(reasonOf(refused, place.form));
    }
  }

  function timeToLiveMs(): number {
    const factor = 1 - ttlJitter + 2 * ttlJitter * Math.random();
    return Math.max(1, Math.round(config.ttlSeconds * 1000 * factor));
  }

  function close(): void {
    closed = true;
    clearInterval(looks);
    servers.close();
  }

  return { isThere: servers.isThere, isUp: presence.isWell, lookup, store, close };
}
