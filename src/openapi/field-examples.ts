/** What a value of each field looks like. */
import { exampleRequestId } from './examples.ts';
import type { Json, JsonObject } from './json.ts';

const fault = { code: 'too_long', field: 'title', message: 'must have at most 255 characters' };

/** By the name of a field. A schema in which a name has another meaning has its own example. */
const examples: Readonly<Record<string, Json>> = {
  id: 1,
  title: 'Write the report',
  description: 'With the figures of the third quarter.',
  status: 'in_progress',
  assigneeID: 7,
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-02-01T08:30:00.000Z',
  page: 1,
  per_page: 20,
  total: 41,
  total_pages: 3,
  total_exact: false,
  next_cursor: null,
  errors: [],
  'TaskListAnswer.data': [],
  'Fault.code': fault.code,
  'Fault.field': fault.field,
  'Fault.message': fault.message,
  'Problem.message': 'The request is not valid.',
  'Problem.errors': [fault],
  'ProblemDetails.title': 'The request is not valid.',
  'ProblemDetails.status': 400,
  'ProblemDetails.instance': `urn:request:${exampleRequestId}`,
  'ProblemDetails.errors': [fault],
};

/** What says its only value, or refers to a schema, needs no example; ignored fields have none. */
const selfEvident = ['const', '$ref', 'readOnly', 'properties'];

/** @param schema of an object. @returns it with an example at each field. */
export function withExamples(name: string, schema: JsonObject): JsonObject {
  const { properties } = schema;
  if (typeof properties !== 'object' || properties === null) return schema;
  const shown = Object.entries(properties as JsonObject).map(([field, given]) => {
    const property = given as JsonObject;
    const isClear = property['type'] === 'null' || selfEvident.some((word) => word in property);
    if (isClear) return [field, property] as const;
    const example = examples[`${name}.${field}`] ?? examples[field];
    if (example === undefined) throw new Error(`${name}.${field} has no example`);
    return [field, { ...property, examples: [example] }] as const;
  });
  return { ...schema, properties: Object.fromEntries(shown) };
}
