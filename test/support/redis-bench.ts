/** The cache on a real Redis, without a service: what it stores, finds and logs. */
import { after } from 'node:test';
import { createRedisCache, type RedisCache } from '../../src/cache/redis-cache.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { ListKey } from '../../src/contract/list-key.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { type CacheStats, createCacheStats } from '../../src/telemetry/stats.ts';
import { eventually, type LogLine } from './service.ts';

export interface RedisBench {
  readonly cache: RedisCache;
  readonly stats: CacheStats;
  readonly log: readonly LogLine[];
  /** The first matching line logged after `since`, past or future. */
  told(message: string, since?: number): Promise<LogLine>;
  /** Stores lists with these numbers. */
  store(...numbers: number[]): void;
  /** How many lists with these numbers are found. Each one found equals the stored one. */
  find(...numbers: number[]): Promise<number>;
  /** Stores and looks up lists until Redis has all of them. */
  useAll(...numbers: number[]): Promise<void>;
  close(): void;
}

const generation = { era: 'one', number: 1 };
const open = new Set<RedisBench>();
after(() => {
  for (const bench of open) bench.close();
});

export function openRedisBench(environment: Readonly<Record<string, string>>): RedisBench {
  const parsed = parseConfig(environment);
  if (!parsed.ok) throw new Error(parsed.faults.join());
  const log: LogLine[] = [];
  const logger = createLogger({
    level: 'debug',
    role: 'test',
    pretty: false,
    secrets: parsed.secrets,
    write: (line) => log.push(JSON.parse(line)),
  });
  const stats = createCacheStats();
  const cache = createRedisCache(parsed.config.redis!, stats, logger);

  function store(...numbers: number[]): void {
    for (const number of numbers) {
      const body = Buffer.from(`list ${number}`);
      cache.store(generation, keyOf(number), { generation: 1, links: 'l', etag: '', body });
    }
  }

  async function find(...numbers: number[]): Promise<number> {
    const entries = await cache.lookup(generation, numbers.map(keyOf));
    let found = 0;
    for (const [place, number] of numbers.entries()) {
      const entry = entries[place];
      if (entry === undefined) continue;
      const text = Buffer.from(entry.body).toString();
      if (text !== `list ${number}`) throw new Error(`${text} in place of list ${number}`);
      found++;
    }
    return found;
  }

  const bench: RedisBench = {
    cache,
    stats,
    log,
    store,
    find,
    async told(message, since = 0) {
      const line = () => log.slice(since).find((one) => one.message === message);
      await eventually(
        () => line() !== undefined,
        () => `${message} is not told: ${JSON.stringify(log)}`,
      );
      return line()!;
    },
    async useAll(...numbers) {
      await eventually(
        async () => {
          if (!cache.isThere()) return false;
          store(...numbers);
          // Stored lists are sent in the next turn of the event loop.
          await new Promise(setImmediate);
          return (await find(...numbers)) === numbers.length;
        },
        () => `Redis is not used: ${JSON.stringify(log)}`,
      );
    },
    close() {
      cache.close();
      open.delete(bench);
    },
  };
  open.add(bench);
  return bench;
}

function keyOf(number: number): ListKey {
  return { kind: 'list', text: `{"page":${number}}`, bytes: Buffer.from(''), tag: `${number}` };
}
