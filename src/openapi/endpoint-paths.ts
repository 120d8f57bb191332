/** Describes the paths of the API, from the table of endpoints. */
import { problemsOf } from '../contract/endpoint-problems.ts';
import { type Endpoint, endpoints } from '../contract/endpoints.ts';
import { bodyMaxBytes, jsonDepthMax } from '../contract/limits.ts';
import { type Example, examples } from './examples.ts';
import type { JsonObject } from './json.ts';
import { type Operation, operations } from './operations.ts';
import { type ParameterName, parameterRefs } from './parameters.ts';
import { describeHead, describeOptions } from './resource-methods.ts';
import { isFitting, notModifiedAnswer, successAnswer } from './responses.ts';
import { schemaRef } from './schemas.ts';
import type { SharedAnswers } from './shared-responses.ts';

export function describeEndpoints(shared: SharedAnswers): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const endpoint of endpoints) {
    const path = pathOf(endpoint.path);
    const operation = describe(endpoint, shared);
    paths[path] = {
      ...paths[path],
      [endpoint.method.toLowerCase()]: operation,
      ...(endpoint.method === 'GET' ? { head: describeHead(operation) } : {}),
    };
  }
  for (const path of Object.keys(paths)) {
    const parameters = parameterRefs([...pathParameters(path), 'RequestId']);
    paths[path] = { ...paths[path], options: describeOptions(path, parameters, shared) };
  }
  return paths;
}

/** Converts `:id` of the table of endpoints to OpenAPI's `{id}`. */
export function pathOf(path: string): string {
  return path.replace('/:id', '/{id}');
}

function pathParameters(path: string): ParameterName[] {
  return path.endsWith('/{id}') ? ['TaskId'] : [];
}

function describe(endpoint: Endpoint, shared: SharedAnswers): JsonObject {
  const operation = operationOf(endpoint);
  const { operationId, tag, summary, description, success, conditional = false } = operation;
  const own = examplesOf(endpoint);
  const parameters = operation.parameters ?? [];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: parameterRefs([
      ...pathParameters(pathOf(endpoint.path)),
      ...parameters,
      'RequestId',
      'TraceParent',
    ]),
    ...bodyOf(operation, own),
    responses: {
      [success.status]: successAnswer(success, own),
      ...(conditional ? { '304': notModifiedAnswer(success.headers ?? []) } : {}),
      ...shared.problems(problemsOf(endpoint), own),
    },
  };
}

function operationOf({ method, path }: Endpoint): Operation {
  const operation = operations[`${method} ${path}`];
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  return operation;
}

function examplesOf({ method, path }: Endpoint): Example[] {
  return examples.filter((example) => example.method === method && example.path === path);
}

function bodyOf(operation: Operation, own: readonly Example[]): JsonObject {
  const { body } = operation;
  if (body === undefined) return {};
  const shown = own
    .filter(isFitting)
    .map(({ name, summary, body: value }) => [name, { summary, value: value! }] as const);
  const media = { schema: schemaRef(body.schema), examples: Object.fromEntries(shown) };
  return {
    requestBody: {
      required: true,
      description:
        `One JSON object in UTF-8 of at most ${bodyMaxBytes} bytes, nested at most ${jsonDepthMax} deep, with a ` +
        'Content-Length or in chunks; after chunks the connection closes. A missing Content-Type counts as JSON.',
      content: Object.fromEntries(body.types.map((type) => [type, media])),
    },
  };
}
