/** Describes HEAD and OPTIONS, which every resource has. */
import { framingProblems } from '../contract/endpoint-problems.ts';
import { commonHeaders, type HeaderName, headerRefs } from './headers.ts';
import type { JsonObject } from './json.ts';
import type { SharedAnswers } from './shared-responses.ts';

const tags = ['HEAD and OPTIONS'];
const optionsHeaders: readonly HeaderName[] = [
  'Allow',
  'Accept-Patch',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Max-Age',
];

/** @param get the description of GET. @returns the same without bodies. */
export function describeHead(get: JsonObject): JsonObject {
  const { operationId, summary, responses, ...rest } = get;
  const bodiless = Object.entries(responses as Readonly<Record<string, JsonObject>>).map(
    ([status, { content: _, ...response }]) => [status, response] as const,
  );
  return {
    ...rest,
    operationId: `${String(operationId)}Head`,
    tags,
    summary: `${String(summary)}: only the headers`,
    description: 'No answer has a body, problems included.',
    responses: Object.fromEntries(bodiless),
  };
}

/** @param parameters those of the path, and those of every request. */
export function describeOptions(
  path: string,
  parameters: readonly JsonObject[],
  shared: SharedAnswers,
): JsonObject {
  const words = path.split(/[^a-z]+/).filter((word) => word !== '');
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('') || 'FrontPage';
  return {
    operationId: `options${name}`,
    tags,
    summary: `What ${path} allows`,
    description: 'With CORS_ORIGINS also the answer to the preflight of a browser.',
    parameters,
    responses: {
      '204': {
        description: 'See the headers.',
        headers: headerRefs([...optionsHeaders, ...commonHeaders]),
      },
      ...shared.problems(framingProblems),
    },
  };
}
