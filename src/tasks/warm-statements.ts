/** The statements that each connection of a kind prepares when it opens. */
import type { Kind } from '../contract/endpoints.ts';
import type { FilterTerm } from '../contract/filter.ts';
import { deepOffsetMin } from '../contract/limits.ts';
import type { ListQuery } from '../contract/list-query.ts';
import { statuses } from '../contract/task.ts';
import type { Pipeline } from '../database/pipeline/pipeline.ts';
import { changeTasksIf, removeTasksIf } from './conditional-statements.ts';
import { createTasksOnce } from './keyed-create.ts';
import type { PreparedShapes } from './prepared-shapes.ts';
import { leaveToPlanner } from './search-plans.ts';
import {
  changeTasks,
  createTasks,
  listTasks,
  ping,
  readTasks,
  removeTasks,
  warmCreateOne,
} from './statements.ts';

/**
 * Runs each statement of a kind once, without effect, so that no request waits for it to be
 * prepared. Empty arrays change nothing and do not advance the generation.
 */
export const warmStatements: Readonly<
  Record<Kind, (pipeline: Pipeline, prepared: PreparedShapes) => Promise<unknown>>
> = {
  read: (pipeline) => readTasks(pipeline, []),
  create: (pipeline) =>
    Promise.all([
      createTasks(pipeline, []),
      warmCreateOne(pipeline),
      createTasksOnce(pipeline, []),
    ]),
  change: (pipeline) => Promise.all([changeTasks(pipeline, []), changeTasksIf(pipeline, [])]),
  remove: (pipeline) => Promise.all([removeTasks(pipeline, []), removeTasksIf(pipeline, [])]),
  async list(pipeline, prepared) {
    for (const query of listShapes) await listTasks(pipeline, query, leaveToPlanner, prepared);
    await ping(pipeline);
  },
  search: ping,
};

const byId = { field: 'id', descending: false } as const;
const newest = { field: 'id', descending: true } as const;
const firstPage = { page: 1, perPage: 1, terms: [] };
const assignee: FilterTerm = { field: 'assigneeID', operator: '=', numbers: [0] };

const listShapes: readonly ListQuery[] = [
  { ...firstPage, order: byId },
  { ...firstPage, order: newest },
  { ...firstPage, order: { field: 'createdAt', descending: true } },
  { ...firstPage, order: { field: 'updatedAt', descending: true } },
  { ...firstPage, order: byId, page: deepOffsetMin + 1 },
  { ...firstPage, order: byId, cursor: { after: null } },
  { ...firstPage, order: byId, cursor: { after: { id: 0, value: '' } } },
  { ...firstPage, order: byId, terms: [assignee] },
  ...statuses.map(
    (status): ListQuery => ({
      ...firstPage,
      order: byId,
      terms: [{ field: 'status', operator: '=', statuses: [status] }],
    }),
  ),
];
