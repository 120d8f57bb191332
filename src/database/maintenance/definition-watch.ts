/**
 * Checks that the tables still are what the service relies on. The triggers count the writes of
 * every client. An owner can disable them, restore a dump without them, or rewrite the table with
 * ALTER TABLE ... USING. This watch finds that and repairs it where the role may (migration 050).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../config/config.ts';
import type { Work } from '../../telemetry/background.ts';
import type { Logger } from '../../telemetry/log.ts';
import { errorCode } from '../connection-lost.ts';
import { withLane } from '../lane.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { countOf } from '../pipeline/row.ts';
import { type Recount, recount } from './recount.ts';

export interface DefinitionWatchOptions {
  readonly database: DatabaseConfig;
  readonly log: Logger;
  readonly work: Work;
  readonly intervalMs?: number;
}

export interface DefinitionState {
  /** The result of the last check; true before the first one. */
  readonly isIntact: boolean;
  /** Repairs since the start. */
  readonly repairs: number;
}

export interface DefinitionWatch {
  state(): DefinitionState;
  /** Resolves when no check is running. */
  stop(): Promise<void>;
}

const minuteMs = 60_000;
/** A check takes some 20 ms of the server's time; a recount of ten million tasks takes seconds. */
const lookOptions = { applicationName: 'tasks tables', statementTimeoutMs: 10_000 };
/** Writers queue behind a lock request. A short lock timeout and a retry do not block them. */
const repairOptions = {
  applicationName: 'tasks tables',
  statementTimeoutMs: 600_000,
  settings: { lock_timeout: '1000' },
};
const ownersOnly = '42501';
const stopMaxMs = 1000;
/** A block has 16384 ids. */
const blocksPerLook = 4;
const rewritten = 'the table was written anew';
/** A function compares texts, which is slow: hence fewer tasks. */
const textsPerLook = 1000;

export function watchDefinition(options: DefinitionWatchOptions): DefinitionWatch {
  const { database, log, work, intervalMs = minuteMs } = options;
  const stopping = new AbortController();
  let isIntact = true;
  let repairs = 0;
  /** The first block of the next check. */
  let block = 0;

  async function look(): Promise<void> {
    const found = await withLane(database, lookOptions, (pipeline) => findFault(pipeline, block));
    block = found.nextBlock;
    if (found.fault === undefined) {
      if (!isIntact) log.info('the tables of the service are intact again');
      isIntact = true;
      return;
    }
    if (isIntact) {
      // VACUUM FULL also rewrites the table, and it is harmless.
      const level = found.fault === rewritten ? 'info' : 'warn';
      log[level]('the triggers of the tables did not see everything', { fault: found.fault });
    }
    isIntact = false;
    const mended = await withLane(database, repairOptions, repair);
    repairs++;
    isIntact = true;
    log.info('counted all tasks anew; this was wrong', { ...mended });
  }

  async function lookUntilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      await work.attempt(look);
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const looking = lookUntilStopped();
  return {
    state: () => ({ isIntact, repairs }),
    async stop() {
      stopping.abort();
      // A repair that is still running is one transaction: it commits or has no effect.
      await Promise.race([looking, sleep(stopMaxMs, undefined, { ref: false })]);
    },
  };
}

async function repair(pipeline: Pipeline): Promise<Recount> {
  try {
    return await recount(pipeline);
  } catch (error) {
    if (errorCode(error) !== ownersOnly) throw error;
    throw Object.assign(
      new Error('only the owner of the tables may repair them: run make db-recount as that role'),
      { code: ownersOnly, cause: error },
    );
  }
}

interface Found {
  readonly fault: string | undefined;
  readonly nextBlock: number;
}

const text = `
  WITH some_blocks AS MATERIALIZED (
    SELECT block FROM tasks_blocks WHERE block >= $1::bigint
    ORDER BY block LIMIT ${blocksPerLook}
  ), counted AS (
    SELECT block, (
      SELECT (count(*), count(*) FILTER (WHERE status = 'pending'),
        count(*) FILTER (WHERE status = 'in_progress'), count(*) FILTER (WHERE status = 'completed'),
        count(*) FILTER (WHERE status = 'done'), count(*) FILTER (WHERE status = 'canceled'))
      FROM tasks WHERE id >= block << 14 AND id < (block + 1) << 14
    ) IS DISTINCT FROM (total, pending, in_progress, completed, done, canceled) AS is_wrong
    FROM tasks_blocks WHERE block IN (SELECT block FROM some_blocks)
  )
  SELECT
    (SELECT string_agg(name, ', ') FROM tasks_triggers_amiss()) AS triggers,
    (state.table_file <> pg_relation_filenode('tasks'))::integer AS is_rewritten,
    ((state.total, state.pending, state.in_progress, state.completed, state.done, state.canceled)
      <> (all_blocks.total, all_blocks.pending, all_blocks.in_progress, all_blocks.completed,
        all_blocks.done, all_blocks.canceled))::integer AS counts,
    (SELECT count(*) FROM counted WHERE is_wrong) AS blocks,
    (
      SELECT count(*)
      FROM (
        SELECT id, title, description FROM tasks
        WHERE id >= (SELECT min(block) << 14 FROM some_blocks) + $2::bigint
        ORDER BY id LIMIT ${textsPerLook}
      ) AS task LEFT JOIN tasks_texts AS known USING (id)
      WHERE (tasks_fold(task.title) COLLATE "C" = known.title
          AND tasks_fold(task.description) COLLATE "C" = known.description) IS NOT TRUE
        AND id NOT IN (SELECT id FROM tasks_unindexed)
    ) AS texts,
    (SELECT max(block) + 1 FROM some_blocks) AS next_block
  FROM tasks_state AS state, (
    SELECT coalesce(sum(total), 0) AS total, coalesce(sum(pending), 0) AS pending,
      coalesce(sum(in_progress), 0) AS in_progress, coalesce(sum(completed), 0) AS completed,
      coalesce(sum(done), 0) AS done, coalesce(sum(canceled), 0) AS canceled
    FROM tasks_blocks
  ) AS all_blocks
  WHERE only_row`;

/** In one snapshot. @returns what is wrong, in words. */
export async function findFault(pipeline: Pipeline, firstBlock: number): Promise<Found> {
  const rows = await pipeline.run(text, [String(firstBlock), String(firstText())], false);
  const [[triggers, ...numbers] = []] = rows;
  if (triggers === undefined || numbers.length !== 5) throw new Error('the row of state is gone');
  const [rewrites, counts, blocks, texts, next] = numbers.map((number) => countOf(number ?? '0'));
  const faults = [
    ...(triggers === null ? [] : [`these triggers are off, or missing: ${triggers}`]),
    ...(rewrites === 0 ? [] : [rewritten]),
    ...(counts === 0 && blocks === 0 ? [] : ['the counts are not those of the tasks']),
    ...(texts === 0 ? [] : ['the index of texts lacks tasks']),
  ];
  return {
    fault: faults.length === 0 ? undefined : faults.join('; '),
    nextBlock: next!,
  };
}

/** A random id inside a block. */
function firstText(): number {
  return Math.floor(Math.random() * (16_384 - textsPerLook));
}
