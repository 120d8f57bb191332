/**
 * One connection a kind and thread, so that a slow list never holds up a read by id and a change
 * that waits for a lock never holds up a create. Batches of one kind are pipelined on it. Where a
 * thread may have fewer (src/config/connection-budget.ts), kinds share: those first that hold each other up least.
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
  /** Told to PostgreSQL, so that its activity view names the thread. */
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
  /** The most that it may have open, at least one; default: one for each kind, and two for searches. */
  readonly connections?: number | undefined;
  /** One without work for this long is closed; default: none is. */
  readonly idleMs?: number | undefined;
}

export interface Lanes extends Readonly<Record<Kind, Lane>> {
  /**
   * Connects for reads and lists, which are asked for first; the others connect when they are used.
   * Rejects when it cannot.
   */
  warm(): Promise<void>;
  /** Which list statements the connections keep. */
  readonly prepared: PreparedShapes;
  close(): Promise<void>;
}

/**
 * Statements by id have one right plan, the primary key's. PostgreSQL would plan them anew each
 * time, because it expects ten ids where a batch has one; kept plans saved a third of its time for
 * a lone read and half for a change (perf/README.md). And a plan that was made while the table was
 * empty, to read all of it, must not be the one that is kept.
 */
const planOnce = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' };

/** A bitmap would take the rows in the table's order, and two batches could wait for each other. */
const planInOrderOfId = { ...planOnce, enable_bitmapscan: 'off' };

/** Each of the plain lists walks the one index that has its order; nothing is ever sorted. */
const walkIndexes = { ...planInOrderOfId, enable_sort: 'off' };

/** Values decide here, so each search is planned for its own. */
const planForValues = {
  plan_cache_mode: 'force_custom_plan',
  enable_seqscan: 'off',
  // Starting helpers takes longer than what a LIMIT leaves to do.
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

/** Defaults of PostgreSQL. A kind that shares a connection with lists needs them back. */
const plannerDefaults = { enable_bitmapscan: 'on', enable_sort: 'on' };

/**
 * For each number of connections which kinds share one. It is set up for the first of them; a kind that needs
 * other settings makes them in each of its transactions. A slow search should not hold up the
 * next one, so there are two for them where there can be.
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
