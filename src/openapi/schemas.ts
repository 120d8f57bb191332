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
import { CreateTask, PatchTask, Task, UpdateTask } from '../contract/task.ts';
import type { TSchema } from '../typebox.ts';
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
    const entries = Object.entries(value)
      // A private format; the descriptions explain it in words.
      .filter(([keyword, content]) => !(keyword === 'format' && content === storableFormat))
      .map(([keyword, content]) => [keyword, refer(content)] as const);
    return Object.fromEntries(entries);
  }

  return Object.fromEntries(schemas.map(([name, schema]) => [name, referInside(schema)]));
}
