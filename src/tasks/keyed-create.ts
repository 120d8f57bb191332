/**
 * Creates with an Idempotency-Key. One statement writes the task and the key, so neither exists
 * without the other, whatever fails.
 */
import { createHash } from 'node:crypto';
import type { ResponseItem } from '../batching/frames.ts';
import { idempotencyKeyHours } from '../contract/limits.ts';
import type { Pipeline } from '../database/pipeline/pipeline.ts';
import type { Call } from '../database/pipeline/transaction.ts';
import { textArray } from './arrays.ts';
import { impossibleRows } from './failures.ts';
import { conflict, leftOut, readKeyedAnswer } from './item-answers.ts';
import { atPlaces } from './placed-rows.ts';
import {
  arrayParameters,
  arraysOf,
  columnTexts,
  draftedTexts,
  isAsDrafted,
  meaningOf,
  placeOfRow,
  type TaskDraft,
  taskColumns,
  writtenColumns,
  writtenValues,
} from './task-fields.ts';

export interface KeyedDraft extends TaskDraft {
  /** `null`: no key. */
  readonly key: string | null;
}

// A transaction claims a key with an advisory lock, which ends with the transaction. It does not
// wait for a lock that another one holds. It stores which keys it got for the next statement. The
// snapshot of that is taken after the locks, so it sees the writes of earlier holders.
const lockText = `
  SELECT set_config('tasks.held', coalesce(array_agg(place)::text, '{}'), true)
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted(key, place)
  WHERE key IS NULL OR pg_try_advisory_xact_lock(hashtextextended(key, 0))`;

const expired = `created_at < now() - interval '${idempotencyKeyHours} hours'`;

const storedTexts = columnTexts('created');
const draftTexts = draftedTexts('draft', 'known.task_id', 'known.created_at');
/** The task as created, by this request or by the first one with the key. */
const answerTexts = storedTexts.map(
  (stored, place) => `coalesce(${stored}, known.answer[${place + 1}], ${draftTexts[place]})`,
);

// Inserts tasks first, and keys only for inserted tasks: if a trigger skips a task, its key is not
// stored. If a trigger changes a task, the key stores the changed task for later requests. An
// expired key is overwritten. If a key cannot be written, the division by zero fails the whole
// statement.
const createText = `
  WITH draft AS MATERIALIZED (
    SELECT *,
      place = ANY ((SELECT current_setting('tasks.held', true)::bigint[])::bigint[]) AS held
    FROM unnest($1::text[], $2::text[], ${arrayParameters(3)})
      WITH ORDINALITY AS draft(key, fingerprint, ${writtenColumns}, place)
  ), known AS MATERIALIZED (
    SELECT key, fingerprint, task_id, created_at,
      CASE WHEN answer[1] = task_id::text THEN answer END AS answer
    FROM idempotency_keys WHERE key = ANY ($1::text[]) AND NOT ${expired}
  ), created AS (
    INSERT INTO tasks (${writtenColumns})
    SELECT ${writtenValues}
    FROM draft WHERE held AND (key IS NULL OR key NOT IN (SELECT key FROM known))
    RETURNING ${taskColumns}, ${placeOfRow}::bigint AS place
  ), claimed AS (
    INSERT INTO idempotency_keys AS kept (key, fingerprint, task_id, answer)
    SELECT key, fingerprint, created.id,
      CASE WHEN ${isAsDrafted('created', 'draft')} THEN NULL ELSE ARRAY[${storedTexts}] END
    FROM created JOIN draft ON draft.place = created.place
    WHERE key IS NOT NULL ORDER BY key
    ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint,
      task_id = excluded.task_id, created_at = excluded.created_at, answer = excluded.answer
      WHERE kept.${expired}
    RETURNING key
  )
  SELECT ${answerTexts}, draft.place,
    CASE
      WHEN NOT draft.held THEN 'in-flight'
      WHEN known.fingerprint = draft.fingerprint THEN 'replayed'
      WHEN known.key IS NOT NULL THEN 'reused'
      WHEN created.id IS NULL THEN 'left-out'
      WHEN draft.key IS NULL OR claimed.key IS NOT NULL THEN 'created'
      ELSE (1 / (0 * draft.place))::text
    END
  FROM draft
    LEFT JOIN known ON known.key = draft.key
    LEFT JOIN created ON created.place = draft.place
    LEFT JOIN claimed ON claimed.key = draft.key`;

/**
 * A replayed answer is the task as it was created. The fingerprint proves that the fields were
 * equal; the key's row has the stored task if it differed from them.
 * @param before statements that run first in the same transaction.
 * @returns one answer for each draft, in their order. A second draft with the same key gets "in
 * flight".
 */
export async function createTasksOnce(
  pipeline: Pipeline,
  drafts: readonly KeyedDraft[],
  before: readonly Call[] = [],
): Promise<ResponseItem[]> {
  const seen = new Set<string>();
  const isFirst = drafts.map(
    ({ key }) => key === null || (!seen.has(key) && seen.add(key) === seen),
  );
  const first = drafts.filter((_, place) => isFirst[place]);
  const keys = textArray(first.map((draft) => draft.key));
  const fingerprints = textArray(
    first.map((draft) => (draft.key === null ? null : fingerprintOf(draft))),
  );
  const rows = await pipeline.read(
    createText,
    [keys, fingerprints, ...arraysOf(first)],
    readKeyedAnswer,
    [...before, { text: lockText, parameters: [keys] }],
  );
  if (rows.length !== first.length) throw impossibleRows('not one for each create');
  const answers = atPlaces(rows, first.length, leftOut);
  let next = 0;
  return isFirst.map((isIts) => (isIts ? answers[next++]! : conflict));
}

function fingerprintOf(draft: TaskDraft): string {
  return createHash('sha256').update(meaningOf(draft)).digest('base64');
}
