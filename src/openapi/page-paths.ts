/** Describes the paths outside the API: the documents and the operators' pages. */
import { documentPages } from '../contract/documents.ts';
import { framingProblems } from '../contract/endpoint-problems.ts';
import { type AdministrationPage, administrationPages } from './administration.ts';
import { commonHeaders, type HeaderName, headerRefs } from './headers.ts';
import type { JsonObject } from './json.ts';
import { parameterRefs } from './parameters.ts';
import { describeHead, describeOptions } from './resource-methods.ts';
import { notModifiedAnswer } from './responses.ts';
import { schemaRef } from './schemas.ts';
import type { SharedAnswers } from './shared-responses.ts';

const documentHeaders: readonly HeaderName[] = ['ETag', 'Content-Encoding'];

export function describePages(shared: SharedAnswers): JsonObject {
  return Object.fromEntries([
    ...documentPages.map(({ path, contentTypes, operationId, summary }) => {
      const content = contentTypes.map((contentType) => {
        const [type = ''] = contentType.split(';');
        return [type, { schema: { type: type === 'application/json' ? 'object' : 'string' } }];
      });
      const get = {
        operationId,
        tags: ['Documents'],
        summary,
        parameters: parameterRefs(['IfNoneMatch', 'RequestId']),
        responses: {
          '200': page([...documentHeaders], Object.fromEntries(content)),
          '304': notModifiedAnswer(documentHeaders),
          ...shared.problems([...framingProblems, 'internal']),
        },
      };
      return [path, resource(path, get, shared)] as const;
    }),
    ...administrationPages.map(
      (described) =>
        [
          described.path,
          resource(described.path, describeAdministration(described, shared), shared),
        ] as const,
    ),
  ]);
}

/** GET, HEAD and OPTIONS of a page. */
function resource(path: string, get: JsonObject, shared: SharedAnswers): JsonObject {
  const parameters = (get['parameters'] as readonly JsonObject[]).filter(
    (parameter) => parameter['in'] === 'path',
  );
  return {
    get,
    head: describeHead(get),
    options: describeOptions(path, [...parameters, ...parameterRefs(['RequestId'])], shared),
  };
}

function describeAdministration(
  { operationId, summary, description, parameters, types, headers, refusals }: AdministrationPage,
  shared: SharedAnswers,
): JsonObject {
  const contentOf = (type: string) => ({
    schema: { type: type === 'application/json' ? 'object' : 'string' },
  });
  const refused = Object.entries(refusals).map(([status, text]) => [
    status,
    {
      description: text,
      headers: headerRefs(['X-Go-Pprof', ...commonHeaders]),
      content: {
        'text/plain': contentOf('text/plain'),
        // A framing fault is reported before the page.
        ...(status === '400' ? { 'application/json': { schema: schemaRef('Problem') } } : {}),
      },
    },
  ]);
  return {
    operationId,
    tags: ['Administration'],
    summary,
    description,
    security: [{ metrics: [] }],
    parameters: [...parameters, ...parameterRefs(['RequestId'])],
    responses: {
      '200': page(headers, Object.fromEntries(types.map((type) => [type, contentOf(type)]))),
      ...shared.problems([...framingProblems, 'unauthorized', 'internal', 'unavailable']),
      ...Object.fromEntries(refused),
    },
  };
}

function page(headers: readonly HeaderName[], content: JsonObject): JsonObject {
  return {
    description: 'The page.',
    headers: headerRefs([...headers, ...commonHeaders]),
    content,
  };
}
