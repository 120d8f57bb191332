/** What the kinds of writes have of their own: how a request is read, and which statement writes. */
import {
  hasKeyFlag,
  hasVersionsFlag,
  mergePatchFlag,
  type RequestItem,
  type ResponseItem,
} from '../src/batching/frames.ts';
import type { Lane } from '../src/database/lane.ts';
import type { Pipeline } from '../src/database/wire/pipeline.ts';
import {
  conflict,
  inOrderOf,
  keyedAnswer,
  noContent,
  notFound,
  preconditionFailed,
  taskAnswer,
  taskAnswerOrNotFound,
} from './answers.ts';
import {
  type ConditionalChange,
  changeTasksIf,
  type Precondition,
  removeTasksIf,
} from './conditional-statements.ts';
import { createBodyDecoder, type Decoded } from './decode.ts';
import { createTasksOnce, type KeyedDraft } from './keyed-create.ts';
import { changeTasks, createTasks, removeTasks } from './statements.ts';
import { changesNothing } from './task-fields.ts';
import { executeWrites } from './write-batch.ts';

export interface Writes {
  create(items: readonly RequestItem[]): Promise<ResponseItem[]>;
  change(items: readonly RequestItem[]): Promise<ResponseItem[]>;
  remove(items: readonly RequestItem[]): Promise<ResponseItem[]>;
}

export function createWrites(
  lanes: Readonly<Record<'create' | 'change' | 'remove', Lane>>,
): Writes {
  const decoder = createBodyDecoder();

  function decodeCreate({ body, flags, extra }: RequestItem): Decoded<KeyedDraft> {
    const decoded = decoder.create(body);
    if (!decoded.ok) return decoded;
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

  return {
    create: (items) =>
      executeWrites(
        items,
        decodeCreate,
        (drafts) => lanes.create.run((pipeline) => create(pipeline, drafts)),
        isKeyed,
      ),
    change: (items) =>
      executeWrites(items, decodeChange, (changes) =>
        lanes.change.run((pipeline) => change(pipeline, changes)),
      ),
    remove: (items) =>
      executeWrites(items, decodeRemoval, (removals) =>
        lanes.remove.run((pipeline) => remove(pipeline, removals)),
      ),
  };
}

async function create(pipeline: Pipeline, drafts: readonly KeyedDraft[]): Promise<ResponseItem[]> {
  if (!drafts.some(isKeyed)) {
    const rows = await createTasks(pipeline, drafts);
    return rows.map((row) => taskAnswer(201, row));
  }
  const keys = new Set<string>();
  /** Of two with the same key the second comes while the first is under way. */
  const isFirst = drafts.map(
    ({ key }) => key === null || (!keys.has(key) && keys.add(key) === keys),
  );
  const outcomes = await createTasksOnce(
    pipeline,
    drafts.filter((_, place) => isFirst[place]),
  );
  let next = 0;
  return isFirst.map((first) => (first ? keyedAnswer(outcomes[next++]!) : conflict));
}

async function change(
  pipeline: Pipeline,
  changes: readonly ConditionalChange[],
): Promise<ResponseItem[]> {
  if (changes.every(isPlain)) {
    return inOrderOf(
      changes.map(({ id }) => id),
      await changeTasks(pipeline, changes),
    );
  }
  const judged = new Map(
    (await changeTasksIf(pipeline, changes)).map((task) => [Number(task.row.id), task]),
  );
  return changes.map(({ id }) => {
    const task = judged.get(id);
    return task?.met === false ? preconditionFailed : taskAnswerOrNotFound(task?.row);
  });
}

async function remove(
  pipeline: Pipeline,
  removals: readonly Precondition[],
): Promise<ResponseItem[]> {
  const ids = removals.map(({ id }) => id);
  if (removals.every(({ versions }) => versions === null)) {
    const removed = new Set(await removeTasks(pipeline, ids));
    return ids.map((id) => (removed.has(id) ? noContent : notFound));
  }
  const judged = await removeTasksIf(pipeline, removals);
  return ids.map((id) => {
    const met = judged.get(id);
    return met === undefined ? notFound : met ? noContent : preconditionFailed;
  });
}

/** It changes something, whatever the task's version. */
function isPlain(change: ConditionalChange): boolean {
  return change.versions === null && !changesNothing(change);
}

function isKeyed({ key }: KeyedDraft): boolean {
  return key !== null;
}

function preconditionOf({ id, flags, extra }: RequestItem): Precondition {
  return { id, versions: (flags & hasVersionsFlag) === 0 ? null : extra };
}
