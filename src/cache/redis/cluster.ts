/**
 * Redis Cluster: each key belongs to a slot, and each slot to a master. This client does not follow
 * redirects: PostgreSQL returns the list as fast, and the slot map is refreshed.
 *
 *   MOVED ─▸ the slot has another master: the whole map is read again
 *   ASK, TRYAGAIN ─▸ the slot is migrating: its lists are not found until that ends
 */
import type { Redis } from 'ioredis';
import type { RedisConfig, ServerAddress } from '../../config/config.ts';
import type { CacheStats } from '../../telemetry/stats.ts';
import { askOnce } from './ask-once.ts';
import { redisTlsOf } from './connection.ts';
import { createRedisNode, type RedisNode } from './node.ts';
import { isRedirect, reasonOf, UntrustedError } from './reasons.ts';
import { type Decode, type Fill, probeKey, type RedisServers } from './servers.ts';
import { slotCount, slotOf } from './slot.ts';
import { readMoved, readSlotRanges, type SlotRange } from './slot-ranges.ts';
import type { NamedTrouble } from './told.ts';
import { createTrouble } from './trouble.ts';

/** The interval of reading the slot map. A wrong map or a failed node causes an immediate read. */
const mapIntervalMs = 5000;
/** Takes some 10 ms. Three in four searches find a key even for a node with a single slot. */
const probeKeysMax = 24_000;

export function createCluster(
  config: RedisConfig,
  seeds: readonly ServerAddress[],
  stats: CacheStats,
): RedisServers {
  const tls = redisTlsOf(config);
  const mapTrouble = createTrouble(0, () => performance.now());
  const nodes = new Map<string, RedisNode>();
  /** The number of the last probe key that belonged to the node. */
  const probeNumbers = new WeakMap<RedisNode, number>();
  const slots: (RedisNode | undefined)[] = Array.from({ length: slotCount });
  let isMapped = false;
  let isReading = false;
  let isWrong = false;
  let readAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  function nodeAt(server: ServerAddress): RedisNode {
    const name = nameOf(server);
    const known = nodes.get(name);
    if (known !== undefined) return known;
    const node: RedisNode = createRedisNode({
      server,
      form: 'cluster',
      greeting: config,
      tls,
      probe: (client) => probe(client, node),
      stats,
    });
    nodes.set(name, node);
    return node;
  }

  /** @returns a key in a slot of the node, or of another node if none was found. */
  function probeKeyOf(node: RedisNode): string {
    const known = probeNumbers.get(node) ?? 0;
    for (let number = known; number < known + probeKeysMax; number++) {
      const key = probeKey(config.keyPrefix, number);
      if (slots[slotOf(key)] !== node) continue;
      probeNumbers.set(node, number);
      return key;
    }
    return probeKey(config.keyPrefix, 0);
  }

  /** Probes with a key of the node: for other keys, a node that still loads its data redirects. */
  async function probe(client: Redis, node: RedisNode): Promise<void> {
    const value: unknown = await client.getBuffer(probeKeyOf(node)).catch((error: unknown) => {
      if (!isRedirect(error)) throw error;
      noteRedirect(error, node);
      return null;
    });
    if (value !== null && !(value instanceof Uint8Array)) throw new UntrustedError();
  }

  async function readMap(): Promise<void> {
    if (isReading || closed) return;
    isReading = true;
    isWrong = false;
    readAt = performance.now();
    // Nodes that work may know what happened to the others.
    const known = [...nodes.values()].filter((node) => node.isWell()).map(({ server }) => server);
    for (const server of [...known, ...seeds]) {
      if (closed) break;
      try {
        const answer: unknown = await askOnce(server, { greeting: config, tls }, (client) =>
          client.call('CLUSTER', 'SLOTS'),
        );
        const ranges = readSlotRanges(answer, server);
        if (ranges === undefined) throw new UntrustedError();
        if (closed) break;
        takeMap(ranges);
        mapTrouble.succeed(false);
        break;
      } catch (error) {
        mapTrouble.fail(reasonOf(error, 'cluster'));
      }
    }
    isReading = false;
  }

  function takeMap(ranges: readonly SlotRange[]): void {
    slots.fill(undefined);
    for (const { first, last, master } of ranges) slots.fill(nodeAt(master), first, last + 1);
    const used = new Set(slots);
    for (const [name, node] of nodes) {
      if (used.has(node)) continue;
      nodes.delete(name);
      node.close();
    }
    isMapped = nodes.size > 0;
  }

  function noteRedirect({ message }: Error, asked: RedisNode): void {
    const moved = readMoved(message, asked.server);
    if (moved === undefined) return;
    slots[moved.slot] = nodeAt(moved.master);
    isWrong = true;
  }

  async function lookup<Value>(
    keys: string[],
    decode: Decode<Value>,
  ): Promise<(Value | undefined)[]> {
    const found: (Value | undefined)[] = keys.map(() => undefined);
    const reads = byNode(keys, (key) => key).map(async ([node, places]) => {
      const own = places.map((place) => keys[place]!);
      const values = await node.read(
        (client) => readAll(client, own),
        (results) => results.map((result, index) => take(result, places[index]!, node)),
      );
      for (const [index, place] of places.entries()) found[place] = values?.[index];
    });
    await Promise.all(reads);
    return found;

    function take(result: Result, place: number, node: RedisNode): Value | undefined {
      const [error, value] = result;
      if (error === null) return decode(place, value);
      if (!isRedirect(error)) throw error;
      noteRedirect(error, node);
      return undefined;
    }
  }

  async function store(fills: readonly Fill[]): Promise<readonly (Error | null)[]> {
    const sends = byNode(fills, ({ key }) => key).map(async ([node, places]) => {
      const errors = await node.send((pipeline) => {
        for (const place of places) {
          const { key, value, keptMs } = fills[place]!;
          pipeline.set(key, value, 'PX', keptMs);
        }
      });
      for (const error of errors) if (isRedirect(error)) noteRedirect(error, node);
      return errors.filter((error) => !isRedirect(error));
    });
    const results = await Promise.allSettled(sends);
    return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  /** The indexes of the keys of each working node. */
  function byNode<Item>(
    items: readonly Item[],
    keyOf: (item: Item) => string,
  ): readonly (readonly [RedisNode, readonly number[]])[] {
    const places = new Map<RedisNode, number[]>();
    for (const [place, item] of items.entries()) {
      const node = slots[slotOf(keyOf(item))];
      if (node === undefined || !node.isWell()) continue;
      const own = places.get(node);
      if (own === undefined) places.set(node, [place]);
      else own.push(place);
    }
    return [...places];
  }

  function isThere(): boolean {
    for (const node of nodes.values()) if (node.isWell()) return true;
    return false;
  }

  function isWhole(): boolean {
    return isMapped && [...nodes.values()].every((node) => node.isWell());
  }

  /** With a known map and working nodes, the failures of single map sources do not matter. */
  function troubles(): readonly NamedTrouble[] {
    const own = [...nodes.values()]
      .filter(({ trouble }) => trouble.current() !== undefined)
      .map(({ server, trouble }) => ({ server: nameOf(server), trouble }));
    return own.length > 0 || !isMapped ? [...own, { trouble: mapTrouble }] : [];
  }

  function look(): void {
    for (const node of nodes.values()) node.look();
    if (isWrong || !isWhole() || performance.now() - readAt >= mapIntervalMs) void readMap();
  }

  function close(): void {
    closed = true;
    for (const node of nodes.values()) node.close();
  }

  void readMap();
  return { isThere, isWhole, lookup, store, troubles, look, close };
}

type Result = readonly [error: Error | null, value: unknown];

/** One GET for each key in one pipeline: MGET needs all keys in one slot. */
async function readAll(client: Redis, keys: readonly string[]): Promise<readonly Result[]> {
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.getBuffer(key);
  const results = (await pipeline.exec()) ?? [];
  if (results.length !== keys.length) throw new UntrustedError();
  return results;
}

function nameOf({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
