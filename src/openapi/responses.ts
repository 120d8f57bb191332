/** Describes responses: success, not modified, and the problems by status. */
import { STATUS_CODES } from 'node:http';
import { isRetryable, type ProblemCode, problems } from '../contract/problems.ts';
import { type Example, exampleRequestId, troubleExamples } from './examples.ts';
import { commonHeaders, type HeaderName, headerRefs } from './headers.ts';
import type { Json, JsonObject } from './json.ts';
import type { Success } from './operations.ts';
import { remedies } from './remedies.ts';
import { schemaRef } from './schemas.ts';

type Content = Readonly<Record<string, JsonObject>>;

/** A longer body is cut in the description of a request. */
const shownBodyMax = 60;

export function successAnswer(success: Success, own: readonly Example[]): JsonObject {
  return {
    description: success.description,
    headers: headerRefs([...(success.headers ?? []), ...commonHeaders]),
    ...(success.schema === undefined
      ? {}
      : {
          content: {
            'application/json': {
              schema: schemaRef(success.schema),
              ...showExamples(own.filter(({ status }) => status === success.status)),
            },
          },
        }),
  };
}

export function notModifiedAnswer(headers: readonly HeaderName[]): JsonObject {
  return {
    description: 'The client has it already.',
    headers: headerRefs([...headers, ...commonHeaders]),
  };
}

/** The codes of an endpoint by their status, in ascending order. */
export function byStatus(codes: readonly ProblemCode[]): Map<number, ProblemCode[]> {
  const groups = new Map<number, ProblemCode[]>();
  const sorted = [...codes].sort((a, b) => problems[a].status - problems[b].status);
  for (const code of sorted) {
    const { status } = problems[code];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

/** @param own the examples to show. */
export function problemAnswer(
  status: number,
  codes: readonly ProblemCode[],
  own: readonly Example[],
): JsonObject {
  const headers: HeaderName[] = [
    ...(codes.some(isRetryable) ? (['Retry-After'] as const) : []),
    ...(codes.includes('unauthorized') ? (['WWW-Authenticate'] as const) : []),
  ];
  const fitting = own.filter((example) => example.status === status);
  const isDetails = ({ headers: sent }: Example) => sent?.['Accept'] !== undefined;
  const envelopes = showExamples(
    fitting.filter((example) => !isDetails(example)),
    troubleExamples.filter(({ code }) => codes.includes(code)),
  );
  const content: Content = {
    'application/json': { schema: narrow('Problem', codes), ...envelopes },
    'application/problem+json': {
      schema: narrow('ProblemDetails', codes),
      ...showExamples(fitting.filter(isDetails)),
    },
  };
  return {
    description: describeCodes(status, codes),
    headers: headerRefs([...headers, ...commonHeaders]),
    content,
  };
}

/** What each of the codes means, and what to do about it. */
function describeCodes(status: number, codes: readonly ProblemCode[]): string {
  const told = codes.map((code) => `- \`${code}\`: ${problems[code].message} ${remedies[code]}`);
  return [`${STATUS_CODES[status]}.`, '', ...told].join('\n');
}

/** Which codes the faults may have here. */
function narrow(schema: 'Problem' | 'ProblemDetails', codes: readonly ProblemCode[]): JsonObject {
  const errors = {
    type: 'array',
    items: { type: 'object', properties: { code: { enum: codes } } },
  };
  return { allOf: [schemaRef(schema), { type: 'object', properties: { errors } }] };
}

function showExamples(
  told: readonly Example[],
  troubles: typeof troubleExamples = [],
): { readonly examples?: JsonObject } {
  const shown: [string, Json][] = told.map((example) => [
    example.name,
    { summary: example.summary, description: requestText(example), value: example.answer! },
  ]);
  for (const { code, summary, answer, status } of troubles) {
    const description = status >= 500 ? `To a request with the id \`${exampleRequestId}\`.` : '';
    shown.push([code, { summary, ...(description === '' ? {} : { description }), value: answer }]);
  }
  return shown.length === 0 ? {} : { examples: Object.fromEntries(shown) };
}

/** The request of an example. */
function requestText({ method, url, headers, body }: Example): string {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const lines = Object.entries(headers ?? {}).map(([name, value]) => `\`${name}: ${value}\``);
  return [
    `Answers \`${method} ${cut(url)}\``,
    ...(lines.length === 0 ? [] : [`with ${lines.join(', ')}`]),
    ...(sent === undefined || sent.trim() === '' ? [] : [`and the body \`${cut(sent)}\``]),
  ].join(' ');
}

function cut(text: string): string {
  return text.length <= shownBodyMax ? text : `${text.slice(0, shownBodyMax)}…`;
}

/** Whether the body of an example may illustrate the request. */
export function isFitting({ status, body }: Example): boolean {
  return typeof body === 'object' && body !== null && status !== 400;
}
