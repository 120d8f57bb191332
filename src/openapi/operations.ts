/** The parts of the description that the table of endpoints does not contain. */
import { idempotencyKeyHours } from '../contract/limits.ts';
import { writableFields } from '../contract/task.ts';
import type { HeaderName } from './headers.ts';
import { listParameters, type ParameterName } from './parameters.ts';
import type { SchemaName } from './schemas.ts';

export interface Operation {
  readonly operationId: string;
  readonly tag: 'Tasks' | 'Health';
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly ParameterName[];
  readonly body?: { readonly schema: SchemaName; readonly types: readonly string[] };
  readonly success: Success;
  /** Returns 304 for a matching If-None-Match. */
  readonly conditional?: boolean;
}

export interface Success {
  readonly status: 200 | 201 | 204;
  readonly description: string;
  readonly schema?: SchemaName;
  readonly headers?: readonly HeaderName[];
}

const json = 'application/json';

/** By method and path, as in the table of endpoints. */
export const operations: Readonly<Record<string, Operation>> = {
  'GET /api/tasks': {
    operationId: 'listTasks',
    tag: 'Tasks',
    summary: 'List tasks',
    description:
      'Pages by number or, with `cursor`, by position. A list that begins after a write was ' +
      'acknowledged shows that write. A page behind the end is empty and has the true total. ' +
      'Another parameter is 400, but for names that begin with `_`, which are left alone.',
    parameters: [...listParameters, 'IfNoneMatch'],
    success: {
      status: 200,
      description: 'A page of the list.',
      schema: 'TaskListAnswer',
      headers: ['ETag', 'Link'],
    },
    conditional: true,
  },
  'POST /api/tasks': {
    operationId: 'createTask',
    tag: 'Tasks',
    summary: 'Create a task',
    description:
      'With `Idempotency-Key` it may be sent again after a lost answer: it takes effect once in ' +
      `${idempotencyKeyHours} hours.`,
    parameters: ['IdempotencyKey', 'ListAbsent'],
    body: { schema: 'CreateTask', types: [json] },
    success: {
      status: 201,
      description: 'The task.',
      schema: 'TaskAnswer',
      headers: ['ETag', 'Location', 'Idempotency-Replayed'],
    },
  },
  'GET /api/tasks/:id': {
    operationId: 'readTask',
    tag: 'Tasks',
    summary: 'Read a task',
    parameters: ['IfNoneMatch'],
    success: { status: 200, description: 'The task.', schema: 'TaskAnswer', headers: ['ETag'] },
    conditional: true,
  },
  'PUT /api/tasks/:id': {
    operationId: 'updateTask',
    tag: 'Tasks',
    summary: 'Change a task',
    description: `Any of ${writableFields.join(', ')}; what is left out stays.`,
    parameters: ['IfMatch', 'RefusedVersions'],
    body: { schema: 'UpdateTask', types: [json] },
    success: { status: 200, description: 'The task.', schema: 'TaskAnswer', headers: ['ETag'] },
  },
  'PATCH /api/tasks/:id': {
    operationId: 'patchTask',
    tag: 'Tasks',
    summary: 'Patch a task',
    description:
      'A JSON merge patch (RFC 7396): `null` resets a field to its default. `{}` changes nothing, ' +
      'the version included.',
    parameters: ['IfMatch', 'RefusedVersions'],
    body: { schema: 'PatchTask', types: ['application/merge-patch+json', json] },
    success: { status: 200, description: 'The task.', schema: 'TaskAnswer', headers: ['ETag'] },
  },
  'DELETE /api/tasks/:id': {
    operationId: 'deleteTask',
    tag: 'Tasks',
    summary: 'Delete a task',
    parameters: ['IfMatch', 'RefusedVersions'],
    success: { status: 204, description: 'The task is gone.' },
  },
  'GET /livez': {
    operationId: 'getLivez',
    tag: 'Health',
    summary: 'Whether the process lives',
    success: { status: 200, description: 'It lives.', schema: 'AliveAnswer' },
  },
  'GET /healthz': {
    operationId: 'getHealthz',
    tag: 'Health',
    summary: 'The same as /livez',
    success: { status: 200, description: 'It lives.', schema: 'AliveAnswer' },
  },
  'GET /readyz': {
    operationId: 'getReadyz',
    tag: 'Health',
    summary: 'Whether the service can serve',
    description: '503 while the database does not answer, and from the moment it begins to stop.',
    success: { status: 200, description: 'It can.', schema: 'ReadyAnswer' },
  },
};
