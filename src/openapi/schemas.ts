/** The schemas of the contract, by their names in the description. */

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

/** A nested schema that has a name becomes a reference. */
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
    const shown = value['format'] === storableFormat ? storable(value) : value;
    const entries = Object.entries(shown).map(
      ([keyword, content]) => [keyword, refer(content)] as const,
    );
    return Object.fromEntries(entries);
  }

  return Object.fromEntries(
    schemas.map(([name, schema]) => [
      name,
      withExamples(name, withDemands(name, referInside(schema))),
    ]),
  );
}

/**
 * What the service demands of a body beyond its fields. The other name of the assignee is left to words:
 * a schema cannot say that both names are taken where they agree.
 */
function withDemands(name: SchemaName, schema: JsonObject): JsonObject {
  if (name !== 'CreateTask' && name !== 'UpdateTask' && name !== 'PatchTask') return schema;
  const { assignee_id: _, ...properties } = schema['properties'] as JsonObject;
  const one = { ...schema, properties };
  if (name !== 'UpdateTask') return one;
  return { ...one, anyOf: writableFields.map((field) => ({ required: [field] })) };
}

/** A text that PostgreSQL can store, in words of JSON Schema: lone surrogates it cannot name. */
function storable({ format: _, pattern, ...schema }: JsonObject): JsonObject {
  const isBlankRefused = pattern !== undefined;
  return {
    ...schema,
    pattern: isBlankRefused ? '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$' : '^[^\\u0000]*$',
  };
}
