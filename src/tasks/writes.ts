/** The kinds of writes: how each decodes a request, and which statement it runs. */

import type { StatementClock } from '../base/statement-time.ts';
import {
  hasKeyFlag,
  hasVersionsFlag,
  isUnmetFlag,
  mergePatchFlag,
  type RequestItem,
  type ResponseItem,
} from '../batching/frames.ts';
import { faultOf } from '../contract/problems.ts';
import type { Lane } from '../database/lane.ts';
import type { Pipeline } from '../database/pipeline/pipeline.ts';
import type { Call } from '../database/pipeline/transaction.ts';
import {
  type ConditionalChange,
  changeTasksIf,
  idsThere,
  type Precondition,
  removeTasksIf,
} from './conditional-statements.ts';
import { createBodyDecoder, type Decoded } from './decode.ts';
import { leftOut, noContent, notFound } from './item-answers.ts';
import { createTasksOnce, type KeyedDraft } from './keyed-create.ts';
import { createLateRows } from './late-rows.ts';
import { changeTasks, createTasks, removeTasks } from './statements.ts';
import { changesNothing } from './task-fields.ts';
import { executeWrites, type WriteKind } from './write-batch.ts';

/** @param leftMs milliseconds until the first request times out. */
type ExecuteWrites = (
  items: readonly RequestItem[],
  leftMs: number,
  clock: StatementClock,
) => Promise<ResponseItem[]>;

export interface Writes {
  create: ExecuteWrites;
  change: ExecuteWrites;
  remove: ExecuteWrites;
}

export function createWrites(
  lanes: Readonly<Record<'create' | 'change' | 'remove', Lane>>,
  /** The timeout of a request. */
  timeoutMs: number,
): Writes {
  const decoder = createBodyDecoder();

  function decodeCreate({ body, flags, extra }: RequestItem): Decoded<KeyedDraft> {
    const decoded = decoder.create(body);
    if (!decoded.ok) return decoded;
    if ((flags & isUnmetFlag) !== 0) return unmet;
    const key = (flags & hasKeyFlag) === 0 ? null : extra;
    return { ok: true, value: { ...decoded.value, key } };
  }

  function decodeChange(item: RequestItem): Decoded<ConditionalChange> {
    const isPatch = (item.flags & mergePatchFlag) !== 0;
    const decoded = isPatch ? decoder.patch(item.body) : decoder.change(item.body);
    if (!decoded.ok) return decoded;
    return { ok: true, value: { ...decoded.value, ...preconditionOf(item) } };
  }

  function decodeRemoval(item: RequestItem): Decoded<Precondition> {
    return { ok: true, value: preconditionOf(item) };
  }

  const late = createLateRows();
  const creates: WriteKind<KeyedDraft> = {
    decode: decodeCreate,
    write: (drafts, before, clock) =>
      lanes.create.run((pipeline) => create(pipeline.timedBy(clock), drafts, before)),
    lookCloser: answerNothing,
    isRepeatable: isKeyed,
    idOf: () => 0,
  };
  const changes: WriteKind<ConditionalChange> = {
    decode: decodeChange,
    write: (values, before, clock) =>
      lanes.change.run((pipeline) => change(pipeline.timedBy(clock), values, before)),
    lookCloser: (values, before, clock) =>
      lanes.change.run((pipeline) =>
        lookCloser(pipeline.timedBy(clock), values, changeTasksIf, before),
      ),
    isRepeatable: () => false,
    idOf: ({ id }) => id,
  };
  const removals: WriteKind<Precondition> = {
    decode: decodeRemoval,
    write: (values, before, clock) =>
      lanes.remove.run((pipeline) => remove(pipeline.timedBy(clock), values, before)),
    lookCloser: (values, before, clock) =>
      lanes.remove.run((pipeline) =>
        lookCloser(pipeline.timedBy(clock), values, removeTasksIf, before),
      ),
    isRepeatable: () => false,
    idOf: ({ id }) => id,
  };

  return {
    create: (items, leftMs, clock) =>
      executeWrites(items, creates, { timeoutMs, leftMs, late, clock }),
    change: (items, leftMs, clock) =>
      executeWrites(items, changes, { timeoutMs, leftMs, late, clock }),
    remove: (items, leftMs, clock) =>
      executeWrites(items, removals, { timeoutMs, leftMs, late, clock }),
  };
}

const unmet = { ok: false, faults: faultOf('precondition_failed') } as const;

type Answers = Promise<(ResponseItem | undefined)[]>;

async function create(
  pipeline: Pipeline,
  drafts: readonly KeyedDraft[],
  before: readonly Call[],
): Answers {
  const isPlain = !drafts.some(isKeyed);
  return isPlain
    ? createTasks(pipeline, drafts, before)
    : createTasksOnce(pipeline, drafts, before);
}

async function change(
  pipeline: Pipeline,
  changes: readonly ConditionalChange[],
  before: readonly Call[],
): Answers {
  const found = changes.every(isPlain)
    ? await changeTasks(pipeline, changes, before)
    : await changeTasksIf(pipeline, changes, before);
  return changes.map(({ id }) => found.get(id));
}

async function remove(
  pipeline: Pipeline,
  removals: readonly Precondition[],
  before: readonly Call[],
): Answers {
  if (removals.some(({ versions }) => versions !== null)) {
    const judged = await removeTasksIf(pipeline, removals, before);
    return removals.map(({ id }) => judged.get(id));
  }
  const ids = removals.map(({ id }) => id);
  const removed = await removeTasks(pipeline, ids, before);
  return ids.map((id) => (removed.has(id) ? noContent : undefined));
}

/**
 * For tasks that a plain statement did not change: locks and checks them, and writes them if
 * possible now. A task that existed before and after, and that could not be locked, is hidden by a
 * policy.
 */
async function lookCloser<Value extends Precondition>(
  pipeline: Pipeline,
  values: readonly Value[],
  judge: (
    pipeline: Pipeline,
    values: readonly Value[],
    before: readonly Call[],
  ) => Promise<ReadonlyMap<number, ResponseItem>>,
  before: readonly Call[],
): Answers {
  const ids = values.map(({ id }) => id);
  const [there, judged, still] = await Promise.all([
    idsThere(pipeline, ids),
    judge(pipeline, values, before),
    idsThere(pipeline, ids),
  ]);
  return ids.map((id) => judged.get(id) ?? (there.has(id) && still.has(id) ? leftOut : notFound));
}

/** A create always has an answer, so it leaves nothing open. */
async function answerNothing(): Answers {
  return [];
}

/** The change has fields, and no condition on the version. */
function isPlain(change: ConditionalChange): boolean {
  return change.versions === null && !changesNothing(change);
}

function isKeyed({ key }: KeyedDraft): boolean {
  return key !== null;
}

function preconditionOf({ id, flags, extra }: RequestItem): Precondition {
  return { id, versions: (flags & hasVersionsFlag) === 0 ? null : extra };
}
