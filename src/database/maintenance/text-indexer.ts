/**
 * Updates the text index in the background (sql/migrations/030_texts.up.sql, ADR 13). Searches stay
 * correct without it: they scan the tasks that are not indexed yet.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../../config/config.ts';
import type { Work } from '../../telemetry/background.ts';
import { openLane } from '../lane.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { createPaceKeeper, type Pace, restMs } from './indexing-pace.ts';

export interface TextIndexerOptions {
  readonly database: DatabaseConfig;
  readonly work: Work;
}

export interface TextIndexer {
  /** Resolves when no batch is running, or after one second if the database hangs. */
  stop(): Promise<void>;
}

/** Some 150 ms of one core of the server; larger batches are hardly cheaper (ADR 13). */
const idsPerBatch = 2000;
/** During a long pause it checks for searches this often. */
const lookMs = 5000;
/** After a failure, which loses nothing. */
const retryMs = 1000;
/** Each search scans the dead rows of the queue until VACUUM removes them. */
const deadRowsMax = 10_000;
const indexText = 'SELECT tasks_index_texts($1::integer)';
const isFarBehindText = 'SELECT FROM tasks_unindexed OFFSET $1::bigint LIMIT 1';
/** Searches that the index answered since it was created; 0 if the server keeps no statistics. */
const searchesText = `
  SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes
  WHERE schemaname = current_schema() AND indexrelname = 'tasks_texts_trigrams'`;
const statementTimeoutMs = 30_000;

/** Several services on one database take turns. */
export function startTextIndexer({ database, work: background }: TextIndexerOptions): TextIndexer {
  const stopping = new AbortController();
  const lane = openLane(database, { applicationName: 'tasks texts', statementTimeoutMs });
  const keeper = createPaceKeeper();
  let deadRows = 0;

  /** @returns milliseconds until the next batch. */
  async function work(): Promise<number> {
    const searches = await lane.run(countSearches);
    const pace = keeper.paceAt(searches, performance.now());
    const began = performance.now();
    const taken = (await lane.run((pipeline) => indexTexts(pipeline, idsPerBatch))) ?? 0;
    const workedMs = performance.now() - began;
    deadRows += taken;
    if (deadRows >= deadRowsMax) {
      await lane.run((pipeline) => pipeline.runAlone('VACUUM tasks_unindexed'));
      deadRows = 0;
    }
    if (taken === idsPerBatch && (await lane.run((pipeline) => isFarBehind(pipeline, pace)))) {
      return 0;
    }
    return Math.min(lookMs, restMs(pace, { taken, batch: idsPerBatch, workedMs }));
  }

  async function workUntilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      const pauseMs = (await background.attempt(work)) ?? retryMs;
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const working = workUntilStopped();
  return {
    async stop() {
      stopping.abort();
      await lane.close();
      await working;
    },
  };
}

/**
 * Indexes one batch, in its own transaction.
 * @returns the number of ids taken from the queue; `null`: another service is indexing.
 */
async function indexTexts(pipeline: Pipeline, most: number): Promise<number | null> {
  const [[taken]] = (await pipeline.run(indexText, [String(most)])) as [[string | null]];
  return taken === null ? null : Number(taken);
}

async function isFarBehind(pipeline: Pipeline, { backlogMax }: Pace): Promise<boolean> {
  return (await pipeline.run(isFarBehindText, [String(backlogMax)])).length > 0;
}

async function countSearches(pipeline: Pipeline): Promise<number> {
  const [[searches]] = (await pipeline.run(searchesText, [])) as [[string]];
  return Number(searches);
}
