/** A single Redis server: the configured one, or the master that Sentinels report. */
import type { RedisConfig, RedisPlace, ServerAddress } from '../../config/config.ts';
import type { CacheStats } from '../../telemetry/stats.ts';
import { redisTlsOf } from './connection.ts';
import { createRedisNode, type RedisNode } from './node.ts';
import { UntrustedError } from './reasons.ts';
import { createMasterFinder } from './sentinel.ts';
import { type Decode, type Fill, probeKey, type RedisServers } from './servers.ts';
import type { NamedTrouble } from './told.ts';

type OnePlace = Exclude<RedisPlace, { readonly form: 'cluster' }>;

export function createOneServer(
  config: RedisConfig,
  place: OnePlace,
  stats: CacheStats,
): RedisServers {
  const tls = redisTlsOf(config);
  /** Two slots: every node of a cluster refuses an MGET over both. */
  const probeKeys = [1, 2].map((number) => probeKey(config.keyPrefix, number));
  let node: RedisNode | undefined;
  const finder = place.form === 'sentinel' ? createMasterFinder({ place, tls, found: use }) : null;
  if (place.form === 'server') use(place.server);

  function use(server: ServerAddress): void {
    if (node?.server.host === server.host && node.server.port === server.port) return;
    node?.close();
    node = createRedisNode({
      server,
      form: place.form,
      greeting: config,
      tls,
      probe: async (client) => checked(await client.mgetBuffer(probeKeys), probeKeys),
      stats,
    });
  }

  async function lookup<Value>(
    keys: string[],
    decode: Decode<Value>,
  ): Promise<(Value | undefined)[]> {
    const found = await node?.read(
      (client) => client.mgetBuffer(keys),
      (values) => checked(values, keys).map((value, place) => decode(place, value)),
    );
    return found ?? keys.map(() => undefined);
  }

  async function store(fills: readonly Fill[]): Promise<readonly (Error | null)[]> {
    if (!isThere()) return [];
    try {
      const errors = await node!.send((pipeline) => {
        for (const { key, value, keptMs } of fills) pipeline.set(key, value, 'PX', keptMs);
      });
      // READONLY: the server was the master and has been demoted.
      if (errors.some((error) => error?.message.startsWith('READONLY') === true)) finder?.hurry();
      return errors;
    } catch {
      return [];
    }
  }

  function isThere(): boolean {
    return node?.isWell() === true;
  }

  /** The failures of Sentinels matter only while the master is unknown or failing. */
  function troubles(): readonly NamedTrouble[] {
    if (finder === null) return node === undefined ? [] : [{ trouble: node.trouble }];
    if (node === undefined) return [{ trouble: finder.trouble }];
    const server = `${node.server.host}:${node.server.port}`;
    const { trouble } = node;
    return trouble.current() === undefined
      ? []
      : [{ server, trouble }, { trouble: finder.trouble }];
  }

  function look(): void {
    node?.look();
    finder?.look(isThere());
  }

  function close(): void {
    finder?.close();
    node?.close();
  }

  return { isThere, isWhole: isThere, lookup, store, troubles, look, close };
}

/** @throws UntrustedError */
function checked(values: unknown, keys: readonly string[]): readonly unknown[] {
  if (!Array.isArray(values) || values.length !== keys.length) throw new UntrustedError();
  return values;
}
