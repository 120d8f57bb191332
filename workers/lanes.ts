/**
 * One connection a kind and thread, so that a slow list never holds up a read by id and a change
 * that waits for a lock never holds up a create. Batches of one kind are pipelined on it.
 */
import type { DatabaseConfig } from '../src/config.ts';
import { isRead, type Kind, kinds } from '../src/contract/endpoints.ts';
import { joinLanes, type Lane, openLane } from '../src/database/lane.ts';
import { createPreparedShapes, type PreparedShapes } from './prepared-shapes.ts';
import { limitSettings } from './time-limits.ts';
import { warmStatements } from './warm-statements.ts';

export interface ExecutorOptions {
  readonly database: DatabaseConfig;
  /** Told to PostgreSQL, so that its activity view names the thread. */
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
}

export interface Lanes extends Readonly<Record<Kind, Lane>> {
  /** Connects each and prepares its statements. Rejects when one cannot. */
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

/** A slow search should not hold up the next one. */
const searchConnections = 2;

export function createLanes(options: ExecutorOptions): Lanes {
  const open = (kind: Kind): Lane =>
    openLane(options.database, {
      applicationName: `${options.applicationName} ${kind}`,
      statementTimeoutMs: options.statementTimeoutMs,
      settings: isRead(kind)
        ? settingsOf[kind]
        : { ...settingsOf[kind], ...limitSettings(options.statementTimeoutMs) },
    });
  const byKind: Readonly<Record<Kind, Lane>> = {
    read: open('read'),
    create: open('create'),
    change: open('change'),
    remove: open('remove'),
    list: open('list'),
    search: joinLanes(Array.from({ length: searchConnections }, () => open('search'))),
  };
  const prepared = createPreparedShapes();

  async function warm(): Promise<void> {
    await Promise.all(
      kinds.map((kind) => byKind[kind].run((client) => warmStatements[kind](client, prepared))),
    );
  }

  async function close(): Promise<void> {
    await Promise.all(kinds.map((kind) => byKind[kind].close()));
  }

  return { ...byKind, prepared, warm, close };
}
