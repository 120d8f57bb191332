/**
 * Brings the index of texts up to date behind the writes (sql/migrations/004_texts.up.sql, ADR 13). No
 * search depends on how fast it is: what is not indexed yet is looked at.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../config.ts';
import { describeError, type Logger } from '../telemetry/log.ts';
import { createLane } from './lane.ts';
import { openPipeline, type Pipeline } from './wire/pipeline.ts';

export interface TextIndexerOptions {
  readonly database: DatabaseConfig;
  readonly log: Logger;
}

export interface TextIndexer {
  /** Resolves when it does nothing any more: at once, or within a second if the database hangs. */
  stop(): Promise<void>;
}

/** Some 150 ms of one core of the server; larger ones are hardly cheaper (ADR 13). */
const idsPerBatch = 2000;
/** How long tasks may gather while writers are few: the more in a batch, the cheaper each. */
const idleMs = 200;
/** After a failure: the database is away, or has no such function yet. */
const retryMs = 1000;
/**
 * Each search looks at all tasks that are not indexed yet. Up to here half of a core's time is left to
 * requests, beyond it none.
 */
const backlogMax = 20_000;
/** Every search walks over the rows of ids that were taken until these are cleared. */
const deadRowsMax = 10_000;
const indexText = 'SELECT tasks_index_texts($1::integer)';
const isFarBehindText = `SELECT FROM tasks_unindexed OFFSET ${backlogMax} LIMIT 1`;
const statementTimeoutMs = 30_000;
/** Beyond the server's own timeout. */
const silenceMarginMs = 1000;

/** Several services on one database take turns. */
export function startTextIndexer({ database, log }: TextIndexerOptions): TextIndexer {
  const stopping = new AbortController();
  const lane = createLane(
    (onClose) =>
      openPipeline(database, {
        applicationName: 'tasks texts',
        statementTimeoutMs,
        onClose,
      }),
    statementTimeoutMs + silenceMarginMs,
  );
  let deadRows = 0;

  /** @returns for how long to leave the database alone now. */
  async function work(): Promise<number> {
    const began = performance.now();
    const taken = (await lane.run((pipeline) => indexTexts(pipeline, idsPerBatch))) ?? 0;
    deadRows += taken;
    if (deadRows >= deadRowsMax) {
      await lane.run((pipeline) => pipeline.run('VACUUM tasks_unindexed', []));
      deadRows = 0;
    }
    if (taken === 0) return idleMs;
    const workedMs = performance.now() - began;
    if (taken < idsPerBatch) return Math.max(idleMs, workedMs);
    return (await lane.run(isFarBehind)) ? 0 : workedMs;
  }

  async function workUntilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      let pauseMs = retryMs;
      try {
        pauseMs = await work();
      } catch (error) {
        // Whoever reads the log knows of a database that is away; and nothing is lost.
        if (!stopping.signal.aborted) log.debug('texts were not indexed', describeError(error));
      }
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
 * One batch, in a transaction of its own.
 * @returns how many ids it took from the queue; `null`: somebody else is at it.
 */
async function indexTexts(pipeline: Pipeline, most: number): Promise<number | null> {
  const [[taken]] = (await pipeline.run(indexText, [String(most)])) as [[string | null]];
  return taken === null ? null : Number(taken);
}

async function isFarBehind(pipeline: Pipeline): Promise<boolean> {
  return (await pipeline.run(isFarBehindText, [])).length > 0;
}
