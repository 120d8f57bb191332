/**
 * Creates with an Idempotency-Key. The key's row is written in the create's own statement, so
 * there is no moment at which one is there without the other, whatever dies in between.
 */
import { createHash } from 'node:crypto';
import { idempotencyKeyHours } from '../src/contract/limits.ts';
import type { Pipeline } from '../src/database/wire/pipeline.ts';
import { textArray } from './arrays.ts';
import {
  arrayParameters,
  arraysOf,
  createdRow,
  meaningOf,
  type TaskDraft,
  type TaskRow,
  writtenColumns,
  writtenValues,
} from './task-fields.ts';

export interface KeyedDraft extends TaskDraft {
  /** `null`: none. */
  readonly key: string | null;
}

export type KeyedOutcome =
  | { readonly type: 'created' | 'replayed'; readonly row: TaskRow }
  /** The key has been used with another draft. */
  | { readonly type: 'reused' }
  /** A create with this key is under way. */
  | { readonly type: 'in-flight' };

// A key is claimed by whoever gets its lock, which ends with the statement; who does not get it
// need not wait. Each claim brings a new number for the task. An existing row of the key is written
// over with itself: so it is returned though it may be younger than the statement's snapshot, and
// its number tells that it is somebody else's. One that has expired is taken over.
// ORDER BY: keys are locked in the same order everywhere, tasks are numbered in that of requests.
const createText = `
  WITH draft AS MATERIALIZED (
    SELECT *, CASE
      WHEN key IS NULL OR pg_try_advisory_xact_lock(hashtextextended(key, 0))
      THEN nextval(pg_get_serial_sequence('tasks', 'id'))
    END AS id
    FROM unnest($1::text[], $2::text[], ${arrayParameters(3)})
      WITH ORDINALITY AS draft(key, fingerprint, ${writtenColumns}, place)
    ORDER BY place
  ), claim AS (
    INSERT INTO idempotency_keys AS kept (key, fingerprint, task_id)
    SELECT key, fingerprint, id FROM draft WHERE key IS NOT NULL AND id IS NOT NULL ORDER BY key
    ON CONFLICT (key) DO UPDATE SET (fingerprint, task_id, created_at) = (
      SELECT fresh.fingerprint, fresh.task_id, fresh.created_at
      FROM (VALUES
        (true, excluded.fingerprint, excluded.task_id, excluded.created_at),
        (false, kept.fingerprint, kept.task_id, kept.created_at)
      ) AS fresh(expired, fingerprint, task_id, created_at)
      WHERE fresh.expired = (kept.created_at < now() - interval '${idempotencyKeyHours} hours')
    )
    RETURNING key, fingerprint, task_id, created_at
  ), created AS (
    INSERT INTO tasks (id, ${writtenColumns}) OVERRIDING SYSTEM VALUE
    SELECT id, ${writtenValues}
    FROM draft LEFT JOIN claim USING (key)
    WHERE id IS NOT NULL AND (key IS NULL OR task_id = id)
    ORDER BY place
    RETURNING id, created_at
  )
  SELECT CASE
      WHEN draft.id IS NULL THEN 'in-flight'
      WHEN created.id IS NOT NULL THEN 'created'
      WHEN claim.fingerprint = draft.fingerprint THEN 'replayed'
      ELSE 'reused'
    END,
    coalesce(created.id, claim.task_id), coalesce(created.created_at, claim.created_at)
  FROM draft LEFT JOIN claim USING (key) LEFT JOIN created ON created.id = draft.id
  ORDER BY place`;

/**
 * A replayed row is the task as it was created: the fingerprint says that its fields were these.
 * @param drafts each key at most once.
 * @returns one outcome for each draft, in their order.
 */
export async function createTasksOnce(
  pipeline: Pipeline,
  drafts: readonly KeyedDraft[],
): Promise<KeyedOutcome[]> {
  const rows = await pipeline.run(createText, [
    textArray(drafts.map((draft) => draft.key)),
    textArray(drafts.map((draft) => (draft.key === null ? null : fingerprintOf(draft)))),
    ...arraysOf(drafts),
  ]);
  return rows.map(([outcome, id, createdAt], place): KeyedOutcome => {
    const type = outcome as KeyedOutcome['type'];
    if (type === 'reused' || type === 'in-flight') return { type };
    const made = { id: id!, version: '1', createdAt: createdAt!, updatedAt: createdAt! };
    return { type, row: createdRow(drafts[place]!, made) };
  });
}

function fingerprintOf(draft: TaskDraft): string {
  return createHash('sha256').update(meaningOf(draft)).digest('base64');
}
