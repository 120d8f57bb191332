/** Who is measured: ourselves, peers, and what limits both. */
import { startBareServer } from '../limits/bare.ts';
import type { PgbenchScript } from '../limits/pgbench.ts';
import type { PerfDatabase } from '../support/database.ts';
import type { RunningServer } from '../support/server.ts';
import { startService } from '../support/service.ts';
import { tableWithoutTriggers } from '../support/tasks.ts';
import type { Operation } from './operations.ts';
import type { Pair } from './pairs.ts';
import { type Peer, startPeer } from './peers.ts';
import type { RedisServer } from './redis-server.ts';

/** A server that handles the operation's requests. */
export interface ServerSubject {
  readonly kind: 'server';
  readonly name: string;
  /** This service, on any runtime. */
  readonly isOurs: boolean;
  /** The table with tasks to delete. */
  readonly table: string;
  readonly usesRedis: boolean;
  /** It returns the same response to every request. */
  readonly isBare: boolean;
  start(): Promise<RunningServer>;
}

/** The database without a server. */
export interface PgbenchSubject {
  readonly kind: 'pgbench';
  readonly name: string;
  readonly script: PgbenchScript;
  readonly clients: number;
}

export type Subject = ServerSubject | PgbenchSubject;

export interface Surroundings {
  readonly database: PerfDatabase;
  readonly directory: string;
  readonly peers: readonly Peer[];
  /** Where peers write: a table without triggers, which peers do not use. */
  readonly peerTable: string | undefined;
  readonly frontEnds: number;
  readonly redis: RedisServer | undefined;
  readonly hasPgbench: boolean;
}

export const oursName = 'ours';
export const bareName = 'bare';
export const bareAsyncName = 'bare-async';

/** This service first: its peak determines the open loop's rate for the others. */
export function subjectsOf(operation: Operation, around: Surroundings): readonly Subject[] {
  const peers = around.peers
    .filter((peer) => (operation.name === 'list' ? peer.list : peer.tasks))
    .map((peer) => peerSubject(peer, operation, around));
  return [ours(around), ...peers, ...bares(operation, around), ...pgbenches(operation, around)];
}

export function ours({ database, directory }: Surroundings): ServerSubject {
  return {
    kind: 'server',
    name: oursName,
    isOurs: true,
    table: 'tasks',
    usesRedis: false,
    isBare: false,
    start: () => startService(database.config, directory),
  };
}

/** This service on one of the runtimes. */
export function pairSubject(
  { name, node, build }: Pair,
  database: PerfDatabase,
  directory: string,
): ServerSubject {
  return {
    kind: 'server',
    name,
    isOurs: true,
    table: 'tasks',
    usesRedis: false,
    isBare: false,
    start: () => startService(database.config, directory, { UWS_BUILD: build }, { runtime: node }),
  };
}

export function peerSubject(peer: Peer, operation: Operation, around: Surroundings): ServerSubject {
  const table = around.peerTable ?? (operation.writes ? tableWithoutTriggers : 'tasks');
  return {
    kind: 'server',
    name: peer.name,
    isOurs: false,
    table,
    usesRedis: peer.list,
    isBare: false,
    start: () =>
      startPeer(peer, {
        database: around.database.config,
        table,
        processes: around.frontEnds,
        redisSocket: around.redis?.socket ?? null,
      }),
  };
}

/** Servers that only return the bytes of this service's response. */
function bares(operation: Operation, around: Surroundings): readonly ServerSubject[] {
  if (operation.writes) return [];
  const path = operation.name === 'list' ? '/api/tasks?page=1&per_page=20' : '/api/tasks/500000';
  const bare = (name: string, isLater: boolean): ServerSubject => ({
    kind: 'server',
    name,
    isOurs: false,
    table: 'tasks',
    usesRedis: false,
    isBare: true,
    async start() {
      const service = await ours(around).start();
      try {
        return await startBareServer(service.url + path, around.directory, isLater);
      } finally {
        await service.stop();
      }
    },
  });
  return [bare(bareName, false), bare(bareAsyncName, true)];
}

function pgbenches(operation: Operation, around: Surroundings): readonly PgbenchSubject[] {
  if (!around.hasPgbench) return [];
  const subject = (script: PgbenchScript, clients: number): PgbenchSubject => ({
    kind: 'pgbench',
    name: `pgbench-${script.slice(0, -'.sql'.length)}`,
    script,
    clients,
  });
  switch (operation.name) {
    case 'get':
      return [subject('select.sql', 8), subject('select.sql', 32), subject('select.sql', 1)];
    case 'post':
      return [
        subject('insert-without-triggers.sql', 32),
        subject('insert-without-triggers.sql', 1),
        subject('insert.sql', 8),
      ];
    case 'put':
      return [
        subject('update-without-triggers.sql', 32),
        subject('update-without-triggers.sql', 1),
      ];
    default:
      return [];
  }
}
