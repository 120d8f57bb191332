/** The schemas of the contract, under the names that the description gives them. */

import {
  AliveAnswer,
  FaultBody,
  ListMeta,
  Problem,
  ProblemDetails,
  ReadyAnswer,
  TaskAnswer,
  TaskListAnswer,
} from '../contract/envelope.ts';
import { storableFormat } from '../contract/formats.ts';
import { CreateTask, PatchTask, Task, UpdateTask, writableFields } from '../contract/task.ts';
import type { TSchema } from '../typebox.ts';
import { withExamples } from './field-examples.ts';
import { type Json, type JsonObject, plainJson } from './json.ts';

const named = {
  Task,
  CreateTask,
  UpdateTask,
  PatchTask,
  TaskAnswer,
  TaskListAnswer,
  ListMeta,
  AliveAnswer,
  ReadyAnswer,
  Fault: FaultBody,
  Problem,
  ProblemDetails,
} as const satisfies Readonly<Record<string, TSchema>>;

export type SchemaName = keyof typeof named;

export function schemaRef(name: SchemaName): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** A schema that stands inside another becomes a reference where it has a name. */
export function createSchemas(): JsonObject {
  const names = Object.keys(named) as SchemaName[];
  const schemas = names.map((name) => [name, plainJson(named[name])] as const);
  const byText = new Map(schemas.map(([name, schema]) => [JSON.stringify(schema), name]));

  function refer(value: Json): Json {
    if (Array.isArray(value)) return value.map(refer);
    if (typeof value !== 'object' || value === null) return value;
    const name = byText.get(JSON.stringify(value));
    return name === undefined ? referInside(value as JsonObject) : schemaRef(name);
  }

  function referInside(value: JsonObject): JsonObject {
    const entries = Object.entries(value)
      // Ours alone; the descriptions say what it means.
      .filter(([keyword, content]) => !(keyword === 'format' && content === storableFormat))
      .map(([keyword, content]) => [keyword, refer(content)] as const);
    return Object.fromEntries(entries);
  }

  return Object.fromEntries(
    schemas.map(([name, schema]) => [
      name,
      withDemands(name, withExamples(name, referInside(schema))),
    ]),
  );
}

const assigneeNames = ['assigneeID', 'assignee_id'];

/** What the service demands of a body beyond its fields. Both names of the assignee pass where they agree. */
function withDemands(name: SchemaName, schema: JsonObject): JsonObject {
  if (name !== 'CreateTask' && name !== 'UpdateTask' && name !== 'PatchTask') return schema;
  const one = { not: { required: assigneeNames } };
  if (name !== 'UpdateTask') return { ...schema, ...one };
  const some = [...writableFields, 'assignee_id'].map((field) => ({ required: [field] }));
  return { ...schema, ...one, anyOf: some };
}
