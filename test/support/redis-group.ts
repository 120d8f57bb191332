/** A group of Redis servers: a master with a replica and Sentinels, or a cluster. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { freePort } from './free-port.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
import { eventually, makeFolder } from './service.ts';

export interface SentinelGroup {
  /** The initial master, then the replica. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** In the format of REDIS_SENTINELS. */
  readonly list: string;
  /** The port of the master on which the Sentinels agree. */
  masterPort(): string;
}

export interface SentinelOptions {
  readonly count?: number;
  readonly masterName: string;
  /** The password of the servers. */
  readonly password?: string;
  /** The password of the Sentinels. */
  readonly sentinelPassword?: string;
}

const folders = new Set<string>();
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Short, so that a failover takes a second or two. */
const downAfterMs = 500;

export async function startSentinelGroup(options: SentinelOptions): Promise<SentinelGroup> {
  const { count = 3, masterName: name, password, sentinelPassword } = options;
  const own: RedisOptions =
    password === undefined
      ? {}
      : {
          args: ['--requirepass', password, '--masterauth', password],
          login: `AUTH ${password}`,
        };
  const master = await startRedis(own);
  const replica = await startRedis({
    ...own,
    args: [...(own.args ?? []), '--replicaof', `127.0.0.1 ${master.port}`],
  });
  // Sentinels discover replicas at their start, and then every ten seconds.
  await eventually(
    () => master.ask(...authOf(password), 'INFO', 'replication').includes('state=online'),
    'the replica finds no master',
  );
  const folder = folderOfTest();
  const sentinels: RedisServer[] = [];
  for (let number = 0; number < count; number++) {
    const file = join(folder, `sentinel-${number}.conf`);
    writeFileSync(
      file,
      [
        `sentinel monitor ${name} 127.0.0.1 ${master.port} ${Math.floor(count / 2) + 1}`,
        `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
        `sentinel failover-timeout ${name} 1000`,
        ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
        ...(sentinelPassword === undefined ? [] : [`requirepass ${sentinelPassword}`]),
        '',
      ].join('\n'),
    );
    const login = sentinelPassword === undefined ? {} : { login: `AUTH ${sentinelPassword}` };
    sentinels.push(await startRedis({ file, args: ['--sentinel'], ...login }));
  }
  const auth = authOf(sentinelPassword);
  const ask = (...words: string[]): string => sentinels[0]!.ask(...auth, 'SENTINEL', ...words);
  const group: SentinelGroup = {
    servers: [master, replica],
    sentinels,
    list: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(),
    masterPort: () => ask('GET-MASTER-ADDR-BY-NAME', name).split(',')[1]!,
  };
  // A failover needs the replica and the other Sentinels to be known.
  await eventually(
    () =>
      ask('REPLICAS', name).includes(`${replica.port}`) &&
      ask('SENTINELS', name).split('runid').length === count,
    'the Sentinels do not find each other',
  );
  return group;
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** In the format of REDIS_CLUSTER. */
  readonly list: string;
  /** The same with TLS. */
  readonly tlsList: string;
  /** Moves slots with their keys from one master to another, one slot after the other. */
  move(from: number, to: number, slots: readonly number[]): void;
}

export const slotCount = 16_384;

/** @param tls further arguments of each node, besides its TLS port. */
export async function startRedisCluster(
  options: RedisOptions = {},
  tls?: readonly string[],
): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  // The default is the other port plus ten thousand, which may be in use.
  const busPorts = [await freePort(), await freePort(), await freePort()];
  const tlsPorts = [await freePort(), await freePort(), await freePort()];
  for (let number = 0; number < 3; number++) {
    nodes.push(
      await startRedis({
        ...options,
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-port', `${busPorts[number]}`],
          ...(tls === undefined
            ? []
            : [...tls, '--tls-cluster', 'yes', '--tls-port', `${tlsPorts[number]}`]),
          ...(options.args ?? []),
        ],
      }),
    );
  }
  const auth = authOf(options.login?.split(' ').at(-1));
  const ask = (node: number, ...words: string[]): string => nodes[node]!.ask(...auth, ...words);
  const share = Math.ceil(slotCount / nodes.length);
  for (const [number, { port }] of nodes.entries()) {
    const last = Math.min(slotCount, (number + 1) * share) - 1;
    ask(number, 'CLUSTER', 'ADDSLOTSRANGE', `${number * share}`, `${last}`);
    ask(0, 'CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${busPorts[number]}`);
  }
  await eventually(
    () =>
      nodes.every((_, number) => {
        const info = ask(number, 'CLUSTER', 'INFO');
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      }),
    'the nodes do not become a cluster',
  );
  const ids = nodes.map((_, number) => ask(number, 'CLUSTER', 'MYID'));

  function move(from: number, to: number, slots: readonly number[]): void {
    for (const slot of slots.map(String)) {
      ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!);
      ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!);
      const keys = ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, '1000').split(',').filter(Boolean);
      if (keys.length > 0) {
        const { port } = nodes[to]!;
        const login = auth.length === 0 ? [] : ['AUTH', auth[1]!];
        ask(from, 'MIGRATE', '127.0.0.1', `${port}`, '', '0', '5000', ...login, 'KEYS', ...keys);
      }
      ask(to, 'CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
      ask(from, 'CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
    }
  }

  return {
    nodes,
    list: nodes.map(({ port }) => `127.0.0.1:${port}`).join(),
    tlsList: tlsPorts.map((port) => `localhost:${port}`).join(),
    move,
  };
}

function authOf(password: string | undefined): string[] {
  return password === undefined ? [] : ['-a', password];
}

function folderOfTest(): string {
  const folder = makeFolder();
  folders.add(folder);
  return folder;
}
