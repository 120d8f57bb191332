/**
 * Lists that front ends share through Redis. Nothing here can make an answer wrong or late: a key
 * holds the generation, a value its checksum, a lookup has a short limit, and once Redis has
 * failed it is left alone until a probe finds it well again.
 *
 *   there ──a failure──▸ away ──a probe is answered──▸ there
 */
import { Redis } from 'ioredis';
import type { RedisConfig } from '../config.ts';
import type { ListKey } from '../contract/list-key.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CacheStats } from '../telemetry/stats.ts';
import type { Generation } from './generation.ts';
import { type ListEntry, listEtag } from './list-entry.ts';
import { decodeStored, encodeStored, storedKey } from './stored-list.ts';

export interface RedisCache {
  /** False: lookups would find nothing. */
  isThere(): boolean;
  /** One MGET. An entry for each key, in order; never rejects. */
  lookup(generation: Generation, keys: readonly ListKey[]): Promise<(ListEntry | undefined)[]>;
  /** Goes out with all others of this turn of the event loop; nobody waits for it. */
  store(generation: Generation, key: ListKey, entry: ListEntry): void;
  close(): void;
}

/** A lookup that takes longer than a list from PostgreSQL is worth nothing. */
const commandTimeoutMs = 50;
const connectTimeoutMs = 500;
const probeIntervalMs = 500;
const reconnectMaxMs = 1000;
/** What waits to be stored; more is dropped. */
const fillBytesMax = 8 * 1024 * 1024;
const valueBytesMax = 1024 * 1024;
/** So that lists which were stored together do not all fall away together. */
const ttlJitter = 0.1;

interface Fill {
  readonly key: string;
  readonly value: Buffer;
}

export function createRedisCache(config: RedisConfig, stats: CacheStats, log: Logger): RedisCache {
  const client = connect(config);
  let state: 'unknown' | 'there' | 'away' = 'unknown';
  let refusesFills = false;
  let closed = false;
  /** A command had no answer, or a wrong one: what comes on this connection may belong to it. */
  let isOutOfStep = false;
  let fills: Fill[] = [];
  let fillBytes = 0;
  let filling = false;

  client.on('ready', () => {
    isOutOfStep = false;
    void probe();
  });
  client.on('error', (error: Error) => markAway(error.message));
  client.on('close', () => markAway('the connection is closed'));
  const prober = setInterval(lookAgain, probeIntervalMs);
  prober.unref();

  function markAway(reason: string): void {
    if (closed || state === 'away') return;
    state = 'away';
    fills = [];
    fillBytes = 0;
    log.warn('the cache in Redis is away', { reason });
  }

  function lookAgain(): void {
    if (isThere() || client.status !== 'ready') return;
    if (isOutOfStep) client.disconnect(true);
    else void probe();
  }

  async function probe(): Promise<void> {
    if (closed || state === 'there' || client.status !== 'ready') return;
    try {
      if ((await client.ping()) !== 'PONG') throw new Error('PING was not answered with PONG');
    } catch (error) {
      isOutOfStep = true;
      markAway(messageOf(error));
      return;
    }
    if (closed || isThere()) return;
    log.info(state === 'away' ? 'the cache in Redis is back' : 'lists are cached in Redis');
    state = 'there';
  }

  function isThere(): boolean {
    return state === 'there';
  }

  async function lookup(
    generation: Generation,
    keys: readonly ListKey[],
  ): Promise<(ListEntry | undefined)[]> {
    const names = keys.map((key) => storedKey(generation, key.text));
    try {
      const values: unknown = await client.mgetBuffer(names);
      return readValues(values, names, keys, generation);
    } catch (error) {
      stats.redisFailures++;
      isOutOfStep = true;
      markAway(messageOf(error));
      return keys.map(() => undefined);
    }
  }

  /** @throws when the answer is none of ours. */
  function readValues(
    values: unknown,
    names: readonly string[],
    keys: readonly ListKey[],
    generation: Generation,
  ): (ListEntry | undefined)[] {
    if (!Array.isArray(values) || values.length !== keys.length) throw new Error(untrusted);
    return values.map((value: unknown, place) => {
      if (value === null) {
        stats.redisMisses++;
        return undefined;
      }
      const stored = value instanceof Uint8Array ? decodeStored(names[place]!, value) : undefined;
      if (stored === undefined) throw new Error(untrusted);
      stats.redisHits++;
      const etag = listEtag(generation.number, keys[place]!.tag);
      return { ...stored, generation: generation.number, etag };
    });
  }

  function store(generation: Generation, key: ListKey, entry: ListEntry): void {
    if (!isThere() || entry.body.length > valueBytesMax) return;
    if (fillBytes + entry.body.length > fillBytesMax) {
      stats.redisFillsDropped++;
      return;
    }
    const name = storedKey({ era: generation.era, number: entry.generation }, key.text);
    const value = encodeStored(name, entry);
    fills.push({ key: name, value });
    fillBytes += value.length;
    if (fills.length === 1 && !filling) setImmediate(fill);
  }

  /** One pipeline at a time; what comes meanwhile is the next one. */
  async function fill(): Promise<void> {
    if (closed || fills.length === 0) return;
    const pipeline = client.pipeline();
    for (const { key, value } of fills) pipeline.set(key, value, 'PX', timeToLiveMs());
    fills = [];
    fillBytes = 0;
    filling = true;
    try {
      const results = (await pipeline.exec()) ?? [];
      noteRefusals(results.map(([error]) => error).find((error) => error !== null));
    } catch (error) {
      stats.redisFailures++;
      isOutOfStep = true;
      markAway(messageOf(error));
    } finally {
      filling = false;
    }
    await fill();
  }

  /** A Redis that is full, or a replica, still answers lookups. */
  function noteRefusals(error: Error | undefined): void {
    if (error !== undefined) stats.redisFailures++;
    if ((error !== undefined) === refusesFills || !isThere()) return;
    refusesFills = error !== undefined;
    if (error !== undefined) log.warn('Redis takes no lists', { reason: error.message });
    else log.info('Redis takes lists again');
  }

  function timeToLiveMs(): number {
    const factor = 1 - ttlJitter + 2 * ttlJitter * Math.random();
    return Math.max(1, Math.round(config.ttlSeconds * 1000 * factor));
  }

  function close(): void {
    closed = true;
    clearInterval(prober);
    client.disconnect();
  }

  return { isThere, lookup, store, close };
}

const untrusted = 'an answer is not what was stored';

/** Every option that matters, with its reason. */
function connect(config: RedisConfig): Redis {
  return new Redis({
    host: config.host,
    port: config.port,
    ...(config.password === '' ? {} : { password: config.password }),
    // A command fails at once when there is no connection: PostgreSQL has the list as well.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    // The probe finds out, and does not hang where Redis is frozen.
    enableReadyCheck: false,
    keepAlive: 15_000,
    protocol: 2,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, reconnectMaxMs),
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
