/** Request parameters, by their names in the description. */
import { sortFields } from '../contract/cursor.ts';
import { conditionPattern } from '../contract/entity-tags.ts';
import {
  cursorMaxCharacters,
  filterMaxBytes,
  filterTermsMax,
  idempotencyKeyHours,
  idempotencyKeyLengthMax,
  idMax,
  pageMax,
  perPageDefault,
  perPageMax,
} from '../contract/limits.ts';
import { requestIdPattern } from '../contract/request-id.ts';
import { statuses } from '../contract/task.ts';
import type { JsonObject } from './json.ts';

/**
 * Examples are inside the schemas: Swagger UI would fill in an example beside the schema and send
 * it with every request.
 */
function header(name: string, description: string, schema: JsonObject, example: string) {
  return { name, in: 'header', description, schema: { ...schema, examples: [example] } };
}

function query(
  name: string,
  description: string,
  schema: JsonObject,
  ...examples: readonly (string | number)[]
) {
  return { name, in: 'query', description, schema: { ...schema, examples } };
}

const filterText =
  `Terms joined by \` AND \` or \`,\`, at most ${filterTermsMax} and ${filterMaxBytes} bytes. A term is
\`field OP value\`; OP is one of \`= != < <= > >= :\`; a value is bare, up to the next separator, or
\`"quoted"\` with \`\\"\` and \`\\\\\`. \`:\` means contains, whatever the case, for texts, and one of \`a|b|c\`
for status and numbers. A bare text or quoted phrase matches any field: contained in title or
description, or equal to the status, or, a number, to id or assigneeID.`.replaceAll('\n', ' ');

const assignee = {
  description:
    'Exactly this person; 0: nobody. `assignee_id` is another name: one of the two, not both.',
  schema: { type: 'integer', minimum: 0, maximum: idMax },
};

export const parameters = {
  TaskId: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'The number of the task, in canonical decimal.',
    schema: { type: 'integer', minimum: 1, maximum: idMax },
    example: 1,
  },
  RequestId: header(
    'X-Request-Id',
    `Taken over into the answer and the log where it matches \`^${requestIdPattern}$\`; otherwise ` +
      'the service makes one. No text is refused.',
    { type: 'string' },
    'checkout-4711',
  ),
  TraceParent: header(
    'traceparent',
    'W3C Trace Context: its trace id stands in the log where the request is slow or fails. What is ' +
      'not valid counts as not sent.',
    { type: 'string' },
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ),
  IfNoneMatch: header(
    'If-None-Match',
    'Entity tags that the client has, or `*`: 304 without a body where one still fits.',
    { type: 'string' },
    '"1-1"',
  ),
  RefusedVersions: header(
    'If-None-Match',
    'Versions that the task may not have, or `*`: none. Checked by the statement that writes: 412 where ' +
      'one fits, and nothing has changed. With `If-Match` both must hold.',
    { type: 'string', pattern: conditionPattern },
    '"1-999999999"',
  ),
  ListAbsent: header(
    'If-None-Match',
    '`*` is 412, and nothing is created: the list is there. Entity tags are not compared.',
    { type: 'string', pattern: conditionPattern },
    '"1-999999999"',
  ),
  IfMatch: header(
    'If-Match',
    'Versions that the task may have, or `*`. Checked by the statement that writes: 412 where none ' +
      'fits, and nothing has changed.',
    { type: 'string', pattern: conditionPattern },
    '*',
  ),
  IdempotencyKey: header(
    'Idempotency-Key',
    'Makes a create that is sent again happen once. The same key and body: the first answer again. ' +
      'Another body: 422. The first still under way: 409. ' +
      `Remembered for ${idempotencyKeyHours} hours.`,
    { type: 'string', pattern: `^[\\x21-\\x7e]{1,${idempotencyKeyLengthMax}}$` },
    '5f0c5a1e-1c2b-4a6e-9d57-2f6f0a7f3c11',
  ),
  Page: query(
    'page',
    'From 1; empty or 0: 1. With `cursor` it is 400.',
    { type: 'integer', minimum: 0, maximum: pageMax, default: 1 },
    2,
  ),
  PerPage: query(
    'per_page',
    `How many tasks a page has; empty or 0: ${perPageDefault}; above ${perPageMax}: ${perPageMax}, and meta says so.`,
    { type: 'integer', minimum: 0, maximum: pageMax, default: perPageDefault },
    2,
    perPageMax,
  ),
  Sort: query(
    'sort',
    '`-` in front: descending. The id is always the last key, so that no task repeats or goes ' +
      'missing between pages.',
    { type: 'string', enum: sortFields.flatMap((field) => [field, `-${field}`]), default: 'id' },
    '-updatedAt',
    'title',
  ),
  Filter: query(
    'filter',
    filterText,
    { type: 'string' },
    'pending',
    'status=pending',
    'status:pending|in_progress,title:report',
    'createdAt>=2026-01-01T00:00:00Z AND assigneeID=7',
    '"third quarter"',
  ),
  Status: query(
    'status',
    'Exactly this status.',
    { type: 'string', enum: [...statuses] },
    'pending',
  ),
  Title: query('title', 'Exactly this title.', { type: 'string' }, 'Sample task'),
  AssigneeID: query('assigneeID', assignee.description, assignee.schema, 7),
  Cursor: query(
    'cursor',
    'Pages by position: empty to begin; then `meta.next_cursor` of the answer before, with the same ' +
      'filter and sort.',
    { type: 'string', maxLength: cursorMaxCharacters },
    '',
  ),
} as const satisfies Readonly<Record<string, JsonObject>>;

export type ParameterName = keyof typeof parameters;

export function parameterRefs(names: readonly ParameterName[]): JsonObject[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

export const listParameters: readonly ParameterName[] = [
  'Page',
  'PerPage',
  'Sort',
  'Filter',
  'Status',
  'Title',
  'AssigneeID',
  'Cursor',
];
