/**
 * One connection for each kind and thread: a slow list does not delay a read by id, and a change
 * that waits for a lock does not delay a create. Batches of one kind are pipelined. With a smaller
 * connection budget (src/config/connection-budget.ts) kinds share connections, starting with those
 * that delay each other least.
 */

import type { DatabaseConfig } from '../config/config.ts';
import { connectionsPerThreadMax } from '../config/connection-budget.ts';
import { isRead, type Kind } from '../contract/endpoints.ts';
import { joinLanes, type Lane, openLane } from '../database/lane.ts';
import { begunBy, preparedBehind } from '../database/lane-views.ts';
import { settingsText, transactionSettings } from '../database/session-settings.ts';
import { createPreparedShapes, type PreparedShapes } from './prepared-shapes.ts';
import { ping } from './statements.ts';
import { limitSettings } from './time-limits.ts';
import { warmStatements } from './warm-statements.ts';

export interface ExecutorOptions {
  readonly database: DatabaseConfig;
  /** The application_name, so that pg_stat_activity shows the thread. */
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
  /** The most connections, at least one; default: one for each kind, two for searches. */
  readonly connections?: number | undefined;
  /** A connection idle for this long is closed; default: never. */
  readonly idleMs?: number | undefined;
}

export interface Lanes extends Readonly<Record<Kind, Lane>> {
  /**
   * Connects for reads and lists, which are needed first. The others connect on first use. Rejects
   * when it cannot.
   */
  warm(): Promise<void>;
  /** Which list statements the connections keep prepared. */
  readonly prepared: PreparedShapes;
  close(): Promise<void>;
}

/**
 * Statements by id have one best plan, the primary key. PostgreSQL would plan them each time,
 * because it expects ten ids where a batch has one. Generic plans save a third of its time for a
 * single read and half for a change (perf/README.md). A plan made while the table was empty must
 * not be a sequential scan, because it is kept.
 */
const planOnce = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' };

/** A bitmap scan locks rows in physical order, and two batches could deadlock. */
const planInOrderOfId = { ...planOnce, enable_bitmapscan: 'off' };

/** Each plain list reads the one index with its order, without a sort. */
const walkIndexes = { ...planInOrderOfId, enable_sort: 'off' };

/** The best plan depends on the values, so each search is planned for its own. */
const planForValues = {
  plan_cache_mode: 'force_custom_plan',
  enable_seqscan: 'off',
  // Starting parallel workers takes longer than the rest of a statement with LIMIT.
  max_parallel_workers_per_gather: '0',
};

const settingsOf: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  read: planOnce,
  create: planOnce,
  change: planInOrderOfId,
  remove: planInOrderOfId,
  list: walkIndexes,
  search: planForValues,
};

/** PostgreSQL's defaults, for a kind that shares a connection with lists. */
const plannerDefaults = { enable_bitmapscan: 'on', enable_sort: 'on' };

/**
 * Which kinds share a connection, for each number of connections. A connection has the settings of
 * its first kind; the others set theirs in each transaction. Searches get two connections if
 * possible, so that a slow one does not block the next.
 */
const sharing: readonly (readonly (readonly Kind[])[])[] = [
  [['list', 'read', 'change', 'create', 'remove', 'search']],
  [['list', 'read', 'change', 'create', 'remove'], ['search']],
  [['list', 'read'], ['change', 'create', 'remove'], ['search']],
  [['read'], ['change', 'create', 'remove'], ['list'], ['search']],
  [['read'], ['create'], ['change', 'remove'], ['list'], ['search']],
  [['read'], ['create'], ['change'], ['remove'], ['list'], ['search']],
  [['read'], ['create'], ['change'], ['remove'], ['list'], ['search'], ['search']],
];

export function createLanes(options: ExecutorOptions): Lanes {
  const { database, applicationName, statementTimeoutMs, idleMs } = options;
  const connections = Math.min(options.connections ?? connectionsPerThreadMax, sharing.length);
  const groups = sharing[connections - 1]!;
  const prepared = createPreparedShapes();
  const opened = groups.map((group) => ({ group, lane: open(group) }));
  const byKind: Readonly<Record<Kind, Lane>> = {
    read: laneOf('read'),
    create: laneOf('create'),
    change: laneOf('change'),
    remove: laneOf('remove'),
    list: laneOf('list'),
    search: laneOf('search'),
  };

  function open(group: readonly Kind[]): Lane {
    return openLane(database, {
      applicationName: `${applicationName} ${group.join(' ')}`,
      statementTimeoutMs,
      settings: needsOf(group[0]!, statementTimeoutMs),
      ...(idleMs === undefined ? {} : { idleMs }),
    });
  }

  function laneOf(kind: Kind): Lane {
    const needs = needsOf(kind, statementTimeoutMs);
    const lanes = opened
      .filter(({ group }) => group.includes(kind))
      .map(({ group, lane }) => {
        const given = needsOf(group[0]!, statementTimeoutMs);
        const isFit = Object.entries(needs).every(([name, value]) => given[name] === value);
        return preparedBehind(isFit ? lane : withSettings(lane, needs), (pipeline) =>
          warmStatements[kind](pipeline, prepared),
        );
      });
    return lanes.length === 1 ? lanes[0]! : joinLanes(lanes);
  }

  function withSettings(lane: Lane, needs: Readonly<Record<string, string>>): Lane {
    const settings = { ...plannerDefaults, ...needs };
    return begunBy(
      lane,
      settingsText(transactionSettings({ statementTimeoutMs, settings }), 'transaction'),
    );
  }

  async function warm(): Promise<void> {
    await Promise.all([byKind.read.run(ping), byKind.list.run(ping)]);
  }

  async function close(): Promise<void> {
    await Promise.all(opened.map(({ lane }) => lane.close()));
  }

  return { ...byKind, prepared, warm, close };
}

function needsOf(kind: Kind, statementTimeoutMs: number): Readonly<Record<string, string>> {
  return isRead(kind)
    ? settingsOf[kind]
    : { ...settingsOf[kind], ...limitSettings(statementTimeoutMs) };
}
