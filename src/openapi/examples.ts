/**
 * The examples of the description: a sequence of requests to an empty service, with their
 * responses. Tests send it to a running service and compare the responses, except times.
 */
import { encodeCursor } from '../contract/cursor.ts';
import type { Method } from '../contract/endpoints.ts';
import { bodyMaxBytes, titleLengthMaxCodePoints, urlMaxBytes } from '../contract/limits.ts';
import {
  encodeProblem,
  type Fault,
  faultOf,
  type ProblemCode,
  problems,
} from '../contract/problems.ts';
import { type Task, writableFields } from '../contract/task.ts';
import type { Json } from './json.ts';

export interface Example {
  readonly name: string;
  readonly summary: string;
  readonly method: Method;
  /** As in the table of endpoints. */
  readonly path: string;
  /** The path and query of the request. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: Json;
  readonly status: number;
  /** The response headers worth showing. */
  readonly answerHeaders?: Readonly<Record<string, string>>;
  /** `undefined`: a response without a body. */
  readonly answer?: Json;
}

/** A response of a failing service; tests cause the failure. */
export interface TroubleExample {
  readonly code: ProblemCode;
  readonly summary: string;
  readonly status: number;
  readonly answer: Json;
}

/** The request id in examples. */
export const exampleRequestId = 'checkout-4711';

const tasks = '/api/tasks';
const oneTask = '/api/tasks/:id';
const created = '2026-01-31T12:00:00.000Z';
const changed = '2026-01-31T12:05:00.000Z';
const key = '5f0c5a1e-1c2b-4a6e-9d57-2f6f0a7f3c11';
const cursor = encodeCursor({ id: 2, value: '' }, 'id ');
const mergePatch = { 'Content-Type': 'application/merge-patch+json' } as const;

const report: Task = {
  id: 1,
  title: 'Write the report',
  description: 'With the figures of the third quarter.',
  status: 'pending',
  assigneeID: 7,
  createdAt: created,
  updatedAt: created,
};
const sample: Task = { ...report, id: 2, title: 'Sample task', description: '', assigneeID: 0 };
const invoice: Task = { ...sample, id: 3, title: 'Pay the invoice', assigneeID: 7 };
const begun: Task = { ...report, status: 'in_progress', updatedAt: changed };
const done: Task = { ...begun, description: '', status: 'completed' };

export const examples: readonly Example[] = [
  {
    ...post('task', 'A task with everything'),
    body: {
      title: report.title,
      description: report.description,
      status: 'pending',
      assigneeID: 7,
    },
    status: 201,
    answerHeaders: { Location: '/api/tasks/1', ETag: '"1-1"' },
    answer: one(report),
  },
  {
    ...post('title', 'Only a title'),
    body: { title: sample.title },
    status: 201,
    answerHeaders: { Location: '/api/tasks/2', ETag: '"2-1"' },
    answer: one(sample),
  },
  {
    ...post('once', 'A create that may be sent again', { 'Idempotency-Key': key }),
    body: { title: invoice.title, assigneeID: 7 },
    status: 201,
    answerHeaders: { Location: '/api/tasks/3', ETag: '"3-1"' },
    answer: one(invoice),
  },
  {
    ...post('again', 'The same create sent again', { 'Idempotency-Key': key }),
    body: { title: invoice.title, assigneeID: 7 },
    status: 201,
    answerHeaders: { Location: '/api/tasks/3', ETag: '"3-1"', 'Idempotency-Replayed': 'true' },
    answer: one(invoice),
  },
  {
    ...post('key-reused', 'The key of another create', { 'Idempotency-Key': key }),
    body: { title: 'Pay another invoice' },
    status: 422,
    answer: problem(faultOf('idempotency_key_reused')),
  },
  {
    ...post('malformed', 'A body that ends too early'),
    body: '{"title":',
    status: 400,
    answer: problem(faultOf('malformed_json')),
  },
  {
    ...post('several-faults', 'Everything that is wrong, at once'),
    body: { title: ' ', status: 'open' },
    status: 400,
    answer: problem([
      { code: 'invalid', field: 'title', message: 'must not be blank' },
      {
        code: 'invalid',
        field: 'status',
        message: 'must be one of pending, in_progress, completed, done, canceled',
      },
    ]),
  },
  {
    ...post('no-title', 'A task without a title'),
    body: { description: 'What was it?' },
    status: 400,
    answer: problem([{ code: 'missing_field', field: 'title', message: 'is required' }]),
  },
  {
    ...post('long-title', `A title of ${titleLengthMaxCodePoints + 1} characters`),
    body: { title: 'x'.repeat(titleLengthMaxCodePoints + 1) },
    status: 400,
    answer: problem([
      {
        code: 'too_long',
        field: 'title',
        message: `must have at most ${titleLengthMaxCodePoints} characters`,
      },
    ]),
  },
  {
    ...post('unknown-field', 'A field that tasks do not have'),
    body: { title: 'Sample task', priority: 1 },
    status: 400,
    answer: problem([
      { code: 'unknown_field', field: 'priority', message: 'is not a field of a task' },
    ]),
  },
  {
    ...post('rfc-9457', 'An error in the form of RFC 9457', {
      Accept: 'application/problem+json',
    }),
    body: { title: '' },
    status: 400,
    answer: details([{ code: 'invalid', field: 'title', message: 'must not be blank' }]),
  },
  {
    ...post('large-body', `A body of more than ${bodyMaxBytes} bytes`),
    body: ' '.repeat(bodyMaxBytes + 1),
    status: 413,
    answer: problem(faultOf('payload_too_large')),
  },
  {
    ...post('other-type', 'A form', { 'Content-Type': 'application/x-www-form-urlencoded' }),
    body: 'title=Sample+task',
    status: 415,
    answer: problem(faultOf('unsupported_media_type')),
  },
  {
    ...post('other-coding', 'Another transfer coding than chunked', {
      'Transfer-Encoding': 'gzip',
    }),
    status: 501,
    answer: problem(faultOf('not_implemented')),
  },

  {
    ...list('all', 'Every task', ''),
    status: 200,
    answer: many([report, sample, invoice], { page: 1, per_page: 20, total: 3, total_pages: 1 }),
  },
  {
    ...list('filtered', 'The tasks of a person that are pending', '?status=pending&assigneeID=7'),
    status: 200,
    answer: many([report, invoice], { page: 1, per_page: 20, total: 2, total_pages: 1 }),
  },
  {
    ...list('searched', 'A text anywhere in a task', '?filter=%22third+quarter%22'),
    status: 200,
    answer: many([report], { page: 1, per_page: 20, total: 1, total_pages: 1 }),
  },
  {
    ...list('second-page', 'The second page, by title', '?sort=title&per_page=2&page=2'),
    status: 200,
    answer: many([report], { page: 2, per_page: 2, total: 3, total_pages: 2 }),
  },
  {
    ...list('by-cursor', 'The first page by cursor', '?cursor=&per_page=2'),
    status: 200,
    answer: many([report, sample], {
      page: null,
      per_page: 2,
      total: 3,
      total_pages: 2,
      next_cursor: cursor,
    }),
  },
  {
    ...list('next-by-cursor', 'The page behind a cursor', `?cursor=${cursor}&per_page=2`),
    status: 200,
    answer: many([invoice], {
      page: null,
      per_page: 2,
      total: 3,
      total_pages: 2,
      next_cursor: null,
    }),
  },
  {
    ...list('unknown-parameter', 'A parameter that lists do not have', '?state=pending'),
    status: 400,
    answer: problem([{ code: 'unknown_parameter', field: 'state', message: 'is not a parameter' }]),
  },
  {
    ...list('bad-filter', 'A filter with an error', '?filter=status%3Dopen'),
    status: 400,
    answer: problem([
      {
        code: 'invalid',
        field: 'filter',
        message:
          '"open" at position 8: status needs one of pending, in_progress, completed, done, canceled',
      },
    ]),
  },
  {
    ...list('long-url', `A URL of more than ${urlMaxBytes} bytes`, `?_=${'x'.repeat(urlMaxBytes)}`),
    status: 414,
    answer: problem(faultOf('uri_too_long')),
  },

  {
    ...on('GET', 1, 'task', 'A task'),
    status: 200,
    answerHeaders: { ETag: '"1-1"' },
    answer: one(report),
  },
  {
    ...on('GET', 1, 'known', 'A task that the client has', { 'If-None-Match': '"1-1"' }),
    status: 304,
    answerHeaders: { ETag: '"1-1"' },
  },
  {
    ...on('GET', '01', 'bad-id', 'A number that is not in canonical decimal'),
    status: 400,
    answer: problem([
      {
        code: 'invalid',
        field: 'id',
        message: 'must be a decimal number from 1, without sign, leading zero or space',
      },
    ]),
  },
  {
    ...on('GET', 999, 'no-such-task', 'A task that is not there'),
    status: 404,
    answer: problem(faultOf('not_found')),
  },

  {
    ...on('PUT', 1, 'begin', 'Some fields; the rest stays', { 'If-Match': '"1-1"' }),
    body: { status: 'in_progress' },
    status: 200,
    answerHeaders: { ETag: '"1-2"' },
    answer: one(begun),
  },
  {
    ...on('PUT', 1, 'outdated', 'A version that is no more', { 'If-Match': '"1-1"' }),
    body: { status: 'canceled' },
    status: 412,
    answer: problem(faultOf('precondition_failed')),
  },
  {
    ...on('PUT', 1, 'nothing', 'Nothing to change'),
    body: {},
    status: 400,
    answer: problem([
      {
        code: 'missing_field',
        field: null,
        message: `must have at least one of ${writableFields.join(', ')}`,
      },
    ]),
  },
  {
    ...on('PATCH', 1, 'reset', 'A field reset, another changed', mergePatch),
    body: { description: null, status: 'completed' },
    status: 200,
    answerHeaders: { ETag: '"1-3"' },
    answer: one(done),
  },
  {
    ...on('PATCH', 1, 'unchanged', 'Nothing to change: nothing changes', mergePatch),
    body: {},
    status: 200,
    answerHeaders: { ETag: '"1-3"' },
    answer: one(done),
  },
  {
    ...on('PATCH', 1, 'no-default', 'The title cannot be reset', mergePatch),
    body: { title: null },
    status: 400,
    answer: problem([{ code: 'invalid', field: 'title', message: 'must be a string' }]),
  },
  { ...on('DELETE', 3, 'deleted', 'A task that is there'), status: 204 },
  {
    ...on('DELETE', 3, 'deleted-twice', 'A task that is not there any more'),
    status: 404,
    answer: problem(faultOf('not_found')),
  },

  {
    ...get('/livez', 'alive', 'The process lives'),
    status: 200,
    answer: envelope({ alive: true }),
  },
  {
    ...get('/healthz', 'alive', 'The process lives'),
    status: 200,
    answer: envelope({ alive: true }),
  },
  {
    ...get('/readyz', 'ready', 'The service can serve'),
    status: 200,
    answer: envelope({ ready: true }),
  },
];

export const troubleExamples: readonly TroubleExample[] = [
  trouble('conflict', 'The first request with the key is under way'),
  trouble('rejected', 'A constraint, a trigger or a policy of the database does not let it in'),
  trouble('overloaded', 'Too many requests wait'),
  trouble('unavailable', 'The database does not answer, or not in time'),
  trouble('outcome_unknown', 'The connection was lost while the write was under way'),
];

function post(name: string, summary: string, headers?: Readonly<Record<string, string>>) {
  return request('POST', tasks, tasks, name, summary, headers);
}

function list(name: string, summary: string, query: string) {
  return request('GET', tasks, `${tasks}${query}`, name, summary);
}

function on(
  method: Method,
  id: number | string,
  name: string,
  summary: string,
  headers?: Readonly<Record<string, string>>,
) {
  return request(method, oneTask, `${tasks}/${id}`, name, summary, headers);
}

function get(path: string, name: string, summary: string) {
  return request('GET', path, path, name, summary);
}

function request(
  method: Method,
  path: string,
  url: string,
  name: string,
  summary: string,
  headers?: Readonly<Record<string, string>>,
) {
  return { method, path, url, name, summary, ...(headers === undefined ? {} : { headers }) };
}

function envelope(data: Json, meta: Json = null): Json {
  return { data, meta, message: 'success', errors: [], status: 'ok' };
}

function one(task: Task): Json {
  return envelope({ ...task });
}

function many(page: readonly Task[], meta: Json): Json {
  return envelope(
    page.map((task) => ({ ...task })),
    meta,
  );
}

function problem(faults: readonly [Fault, ...Fault[]]): Json {
  return JSON.parse(encodeProblem(faults, 'envelope'));
}

function details(faults: readonly [Fault, ...Fault[]]): Json {
  return JSON.parse(encodeProblem(faults, 'problem'));
}

function trouble(code: ProblemCode, summary: string): TroubleExample {
  const { status } = problems[code];
  const requestId = status >= 500 ? exampleRequestId : undefined;
  return {
    code,
    summary,
    status,
    answer: JSON.parse(encodeProblem(faultOf(code), 'envelope', requestId)),
  };
}
