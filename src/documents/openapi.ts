/**
 * The description of the API (OpenAPI 3.1), made of the table of endpoints, the schemas and the
 * problems that the service itself works with.
 */
import { documentPages } from '../contract/documents.ts';
import { framingProblems, problemsOf } from '../contract/endpoint-problems.ts';
import { type Endpoint, endpoints } from '../contract/endpoints.ts';
import { bodyMaxBytes, jsonDepthMax, urlMaxBytes } from '../contract/limits.ts';
import { type ProblemCode, problemCodes, problems } from '../contract/problems.ts';
import { type AdministrationPage, administrationPages } from './administration.ts';
import { byStatus, isFitting, notModifiedAnswer, problemAnswer, successAnswer } from './answers.ts';
import { type Example, examples } from './examples.ts';
import { commonHeaders, type HeaderName, headerRefs, headers } from './headers.ts';
import type { Json, JsonObject } from './json.ts';
import { type Operation, operations } from './operations.ts';
import { type ParameterName, parameters } from './parameters.ts';
import { createSchemas, schemaRef } from './schemas.ts';
import { serversFor } from './servers.ts';

const codeTable = problemCodes
  .map((code) => `| ${problems[code].status} | \`${code}\` | ${problems[code].message} |`)
  .join('\n');

const introduction = `Tasks on PostgreSQL. Every answer with a body has the same five keys: \`data\`, \`meta\`,
\`message\`, \`errors\`, \`status\`. With \`Accept: application/problem+json\` an error is RFC 9457 instead.

**Freshness.** A list or a task read that begins after a write was acknowledged shows that write.

**Conditions.** \`If-None-Match\` on GET answers 304. \`If-Match\` on PUT, PATCH and DELETE is checked by
the statement that writes. \`Idempotency-Key\` on POST makes a create happen once.

**Limits.** A body has at most ${bodyMaxBytes} bytes and nests at most ${jsonDepthMax} deep, a URL has at most
${urlMaxBytes} bytes. A body needs a Content-Length.

**Everywhere.** \`/api/tasks/\` is \`/api/tasks\`. An unknown path is 404 \`not_found\`; a known path with
another method is 405 \`method_not_allowed\` with \`Allow\`. A 5xx tells no cause: it carries a request id
that the log has, and 503 says when to try again.

| status | code | message |
|---|---|---|
${codeTable}
`;

/**
 * The names of answers that are the same wherever they occur. Where a status has several sets of
 * codes, the set decides; a set that is not here has its answer at the endpoint itself.
 */
const sharedNames: Readonly<Record<string, string>> = {
  '400 invalid': 'BadRequest',
  '401': 'Unauthorized',
  '404': 'NotFound',
  '409': 'Conflict',
  '411': 'LengthRequired',
  '412': 'PreconditionFailed',
  '413': 'PayloadTooLarge',
  '414': 'UriTooLong',
  '415': 'UnsupportedMediaType',
  '422': 'IdempotencyKeyReused',
  '500': 'Internal',
  '503 overloaded unavailable': 'Unavailable',
  '503 overloaded unavailable outcome_unknown': 'WriteUnavailable',
  '503 unavailable': 'NotReady',
};

export function createOpenApi(): JsonObject {
  const shared = new Map<string, JsonObject>();
  const paths: Record<string, Record<string, JsonObject>> = {};

  for (const endpoint of endpoints) {
    const path = pathOf(endpoint.path);
    paths[path] = {
      ...paths[path],
      [endpoint.method.toLowerCase()]: describe(endpoint, shared),
      ...(endpoint.method === 'GET' ? { head: describeHead(endpoint, shared) } : {}),
    };
  }
  for (const path of Object.keys(paths)) {
    paths[path] = { ...paths[path], options: describeOptions(path, shared) };
  }
  for (const page of documentPages) {
    const { contentType, operationId, summary } = page;
    paths[page.path] = {
      get: {
        operationId,
        tags: ['Documents'],
        summary,
        parameters: parameterRefs(['IfNoneMatch', 'RequestId']),
        responses: {
          '200': {
            description: 'The page.',
            headers: headerRefs(pageHeaders),
            content: {
              [contentType.split(';')[0]!]: {
                schema: { type: contentType.startsWith('text') ? 'string' : 'object' },
              },
            },
          },
          '304': notModifiedAnswer(pageHeaders),
          ...problemAnswers(framingProblems, [], shared),
        },
      },
    };
  }
  for (const page of administrationPages) paths[page.path] = describePage(page, shared);

  return {
    openapi: '3.1.0',
    info: {
      title: 'Task manager API',
      version: '1.0.0',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: serversFor('') as unknown as Json,
    security: [],
    tags: [
      { name: 'Tasks', description: 'What the service is for.' },
      { name: 'Health', description: 'For whoever balances load or restarts processes.' },
      { name: 'Documents', description: 'The API about itself.' },
      { name: 'Administration', description: 'For whoever runs the service.' },
      { name: 'HEAD and OPTIONS', description: 'What HTTP has on every resource.' },
    ],
    paths,
    components: {
      schemas: createSchemas(),
      parameters: parameters as unknown as JsonObject,
      headers: headers as unknown as JsonObject,
      responses: Object.fromEntries(shared),
      securitySchemes: {
        metrics: {
          type: 'http',
          scheme: 'basic',
          description: 'METRICS_USERNAME and METRICS_PASSWORD.',
        },
      },
    },
  };
}

/** `:id` of the table of endpoints as OpenAPI writes it. */
export function pathOf(path: string): string {
  return path.replace('/:id', '/{id}');
}

const pageHeaders: readonly HeaderName[] = ['ETag', 'Content-Encoding', ...commonHeaders];

function describe(endpoint: Endpoint, shared: Map<string, JsonObject>): JsonObject {
  const operation = operationOf(endpoint);
  const own = examplesOf(endpoint);
  return {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    parameters: parametersOf(endpoint, operation),
    ...bodyOf(operation, own),
    responses: {
      [operation.success.status]: successAnswer(operation.success, own),
      ...(operation.conditional === true
        ? { '304': notModifiedAnswer(operation.success.headers ?? []) }
        : {}),
      ...problemAnswers(problemsOf(endpoint), own, shared),
    },
  };
}

/** The answer to GET without its body. */
function describeHead(endpoint: Endpoint, shared: Map<string, JsonObject>): JsonObject {
  const operation = operationOf(endpoint);
  const { description, headers: own = [] } = operation.success;
  return {
    operationId: `${operation.operationId}Head`,
    tags: ['HEAD and OPTIONS'],
    summary: `${operation.summary}: only the headers`,
    description: 'No answer has a body, problems included.',
    parameters: parametersOf(endpoint, operation),
    responses: {
      [operation.success.status]: { description, headers: headerRefs([...own, ...commonHeaders]) },
      ...(operation.conditional === true ? { '304': notModifiedAnswer(own) } : {}),
      ...problemAnswers(problemsOf(endpoint), [], shared),
    },
  };
}

function describeOptions(path: string, shared: Map<string, JsonObject>): JsonObject {
  const own: HeaderName[] = [
    'Allow',
    'Accept-Patch',
    'Access-Control-Allow-Methods',
    'Access-Control-Allow-Headers',
    'Access-Control-Max-Age',
  ];
  const name = path.replaceAll(/[^a-z]+([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return {
    operationId: `options${name.replaceAll(/[^A-Za-z]/g, '')}`,
    tags: ['HEAD and OPTIONS'],
    summary: `What ${path} allows`,
    description: 'With CORS_ORIGINS also the answer to the preflight of a browser.',
    parameters: parameterRefs([
      ...(path.includes('{id}') ? (['TaskId'] as const) : []),
      'RequestId',
    ]),
    responses: {
      '204': {
        description: 'See the headers.',
        headers: headerRefs([...own, ...commonHeaders]),
      },
      ...problemAnswers(framingProblems, [], shared),
    },
  };
}

/** GET, its head, and what the resource allows. */
function describePage(
  page: AdministrationPage,
  shared: Map<string, JsonObject>,
): Record<string, JsonObject> {
  const { operationId, summary, description, types, headers: own } = page;
  const contents = (of: readonly string[]) => ({
    content: Object.fromEntries(of.map((type) => [type, { schema: { type: 'string' } }])),
  });
  const problems = problemAnswers(
    [...framingProblems, 'unauthorized', 'internal', 'unavailable'],
    [],
    shared,
  );
  const refusals = Object.fromEntries(
    Object.entries(page.refusals).map(([status, text]) => [
      status,
      {
        description: text,
        headers: headerRefs(['X-Go-Pprof', ...commonHeaders]),
        ...contents(['text/plain', ...(status === '400' ? ['application/json'] : [])]),
      },
    ]),
  );
  const get = {
    operationId,
    tags: ['Administration'],
    summary,
    description,
    security: [{ metrics: [] }],
    parameters: [...page.parameters, ...parameterRefs(['RequestId'])],
    responses: {
      '200': {
        description: 'The page.',
        headers: headerRefs([...own, ...commonHeaders]),
        ...contents(types),
      },
      ...problems,
      ...refusals,
    },
  };
  return {
    get,
    head: {
      ...get,
      operationId: `${operationId}Head`,
      tags: ['HEAD and OPTIONS'],
      summary: `${summary}: only the headers`,
      description: 'No answer has a body, problems included.',
    },
    options: {
      ...describeOptions(page.path, shared),
      operationId: `${operationId}Options`,
      parameters: get.parameters.filter((parameter) => parameter['in'] !== 'query'),
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

function parametersOf({ path }: Endpoint, operation: Operation): Json {
  return parameterRefs([
    ...(path.endsWith('/:id') ? (['TaskId'] as const) : []),
    ...(operation.parameters ?? []),
    'RequestId',
  ]);
}

function parameterRefs(names: readonly ParameterName[]): JsonObject[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
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
      description: 'One JSON object in UTF-8. A missing Content-Type counts as JSON.',
      content: Object.fromEntries(body.types.map((type) => [type, media])),
    },
  };
}

function problemAnswers(
  codes: readonly ProblemCode[],
  own: readonly Example[],
  shared: Map<string, JsonObject>,
): JsonObject {
  const answers: Record<string, Json> = {};
  for (const [status, group] of byStatus(codes)) {
    const name = sharedNames[status] ?? sharedNames[[status, ...group].join(' ')];
    if (name === undefined || (status === 400 && own.length > 0)) {
      answers[status] = problemAnswer(status, group, own);
      continue;
    }
    if (!shared.has(name)) {
      const told = status === 400 ? [] : examples.filter((example) => example.status === status);
      shared.set(name, problemAnswer(status, group, told));
    }
    answers[status] = { $ref: `#/components/responses/${name}` };
  }
  return answers;
}
