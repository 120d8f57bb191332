/** The measured operations, and their numbers of connections. */
import type { ScenarioName } from '../load/scenarios.ts';

export const operationNames = ['get', 'post', 'put', 'delete', 'list'] as const;
export type OperationName = (typeof operationNames)[number];

export interface Operation {
  readonly name: OperationName;
  readonly title: string;
  readonly scenario: ScenarioName;
  /** Half of the peak at the first number is the rate of the open loop. */
  readonly connections: readonly number[];
  readonly writes: boolean;
}

export const operations: Readonly<Record<OperationName, Operation>> = {
  get: {
    name: 'get',
    title: 'GET /api/tasks/:id',
    scenario: 'get',
    connections: [64, 1],
    writes: false,
  },
  post: {
    name: 'post',
    title: 'POST /api/tasks',
    scenario: 'post',
    connections: [64, 1],
    writes: true,
  },
  put: {
    name: 'put',
    title: 'PUT /api/tasks/:id',
    scenario: 'put',
    connections: [64, 1],
    writes: true,
  },
  delete: {
    name: 'delete',
    title: 'DELETE /api/tasks/:id',
    scenario: 'delete',
    connections: [64, 1],
    writes: true,
  },
  list: {
    name: 'list',
    title: 'GET /api/tasks, out of the cache',
    scenario: 'list',
    connections: [256, 64, 1],
    writes: false,
  },
};
