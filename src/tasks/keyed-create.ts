/**
 * Creates with an Idempotency-Key. The key's row is written in the create's own statement, so
 * there is no moment at which one is there without the other, whatever dies in between.
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
  /** `null`: none. */
  readonly key: string | null;
}

// A key is claimed by whoever gets its lock, which ends with the transaction; who does not get it
// need not wait. Which were got is noted for the next statement, whose snapshot is younger than the
// locks: so it sees what those have written who had them before.
const lockText = `
  SELECT set_config('tasks.held', coalesce(array_agg(place)::text, '{}'), true)
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted(key, place)
  WHERE key IS NULL OR pg_try_advisory_xact_lock(hashtextextended(key, 0))`;

const expired = `created_at < now() - interval '${idempotencyKeyHours} hours'`;

const storedTexts = columnTexts('created');
const draftTexts = draftedTexts('draft', 'known.task_id', 'known.created_at');
/** The task as it was made: now, or by the first request of this key. */
const answerTexts = storedTexts.map(
  (stored, place) => `coalesce(${stored}, known.answer[${place + 1}], ${draftTexts[place]})`,
);

// Tasks are made first and keys for those that were: one that a trigger leaves out keeps no key, and
// one that it changes is kept as it was stored, for whoever asks again. A key that has expired is taken
// over. Where a key's row cannot be written the division fails, and the statement as a whole.
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
 * A replayed answer is the task as it was created: the fingerprint says that its fields were these, and
 * the key's row has what became of them where that was something else.
 * @param before statements that run first in the same transaction.
 * @returns one answer for each draft, in their order. Of two with the same key the second is under way.
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
