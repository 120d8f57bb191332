/** Deletes expired Idempotency-Keys. */
import type { DatabaseConfig } from '../../config/config.ts';
import type { Work } from '../../telemetry/background.ts';
import { type Lane, openLane } from '../lane.ts';
import { countOf, oneRow } from '../pipeline/row.ts';

export interface ExpiredKeysOptions {
  readonly database: DatabaseConfig;
  /** The lifetime of a key. */
  readonly hours: number;
  readonly work: Work;
}

export interface ExpiredKeys {
  /** Resolves when no deletion is running, or after one second if the database hangs. */
  stop(): Promise<void>;
}

const intervalMs = 60_000;
const options = { applicationName: 'tasks keys', statementTimeoutMs: 10_000 };
/** Short statements and short rounds: at most 1.6 million keys an hour. */
const keysPerStatement = 2000;
const statementsPerRound = 14;
const text = `
  WITH removed AS (
    DELETE FROM idempotency_keys WHERE key IN (
      SELECT key FROM idempotency_keys
      WHERE created_at < now() - make_interval(hours => $1::integer)
      ORDER BY created_at LIMIT $2::integer FOR UPDATE SKIP LOCKED
    ) RETURNING 1
  )
  SELECT count(*) FROM removed`;

/** Deletes expired keys regularly. Several services on one database do not block each other. */
export function removeExpiredKeysRegularly({
  database,
  hours,
  work,
}: ExpiredKeysOptions): ExpiredKeys {
  let round: Promise<void> | undefined;
  let lane: Lane | undefined;
  const timer = setInterval(() => {
    round ??= removeAll().finally(() => {
      round = undefined;
    });
  }, intervalMs);
  timer.unref();

  async function removeAll(): Promise<void> {
    const own = openLane(database, options);
    lane = own;
    await work.attempt(() => removeExpiredKeys(own, hours));
    await own.close();
  }

  return {
    async stop() {
      clearInterval(timer);
      await lane?.close();
      await round;
    },
  };
}

/** @returns the number of deleted keys; one round has a limit. */
export async function removeExpiredKeys(lane: Pick<Lane, 'run'>, hours: number): Promise<number> {
  let removed = 0;
  for (let statement = 0; statement < statementsPerRound; statement++) {
    // Each statement has the lane's full timeout.
    const rows = await lane.run((pipeline) =>
      pipeline.run(text, [String(hours), String(keysPerStatement)]),
    );
    const count = countOf(oneRow(rows, 1)[0]!);
    removed += count;
    if (count < keysPerStatement) break;
  }
  return removed;
}
