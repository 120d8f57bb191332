/** Response headers, by their names in the description. */
import { retryAfterSeconds } from '../contract/limits.ts';
import { requestIdPattern } from '../contract/request-id.ts';
import type { JsonObject } from './json.ts';

const always = { required: true } as const;

export const headers = {
  'X-Request-Id': {
    ...always,
    description: 'That of the request where it was acceptable, otherwise made by the service.',
    schema: { type: 'string', pattern: `^${requestIdPattern}$` },
  },
  'Cache-Control': {
    ...always,
    description: '`no-cache` on what may be kept and asked for again, `no-store` on the rest.',
    schema: { type: 'string', enum: ['no-cache', 'no-store'] },
  },
  'X-Content-Type-Options': { ...always, schema: { type: 'string', const: 'nosniff' } },
  'Content-Security-Policy': {
    ...always,
    description: 'Protects a browser that opens the answer.',
    schema: { type: 'string', pattern: "^default-src 'none'" },
  },
  'Cross-Origin-Resource-Policy': { ...always, schema: { type: 'string', const: 'same-origin' } },
  'Access-Control-Allow-Origin': {
    description: 'Only with CORS_ORIGINS, and for the origins that it names.',
    schema: { type: 'string' },
  },
  'Access-Control-Expose-Headers': {
    description: 'Beside Access-Control-Allow-Origin.',
    schema: { type: 'string' },
  },
  Vary: {
    description: 'What else the answer depends on.',
    schema: { type: 'string', pattern: '^(Accept, )?(Accept-Encoding|Origin)(, Origin)?$' },
  },
  ETag: {
    ...always,
    description: 'Strong (RFC 9110, section 8.8.3); for If-Match and If-None-Match.',
    schema: { type: 'string', pattern: '^"[A-Za-z0-9.-]+"$' },
  },
  Location: {
    ...always,
    description: 'The path of the task, behind that of HOST_BASE_PATH.',
    schema: { type: 'string', pattern: '^(/[A-Za-z0-9._~-]+)*/api/tasks/[1-9][0-9]*$' },
  },
  'Idempotency-Replayed': {
    description: 'The answer to an earlier request with the same key.',
    schema: { type: 'string', const: 'true' },
  },
  Link: {
    ...always,
    description:
      'first, prev, next and last, as far as there are any (RFC 8288), behind the path of HOST_BASE_PATH.',
    schema: { type: 'string', pattern: '^$|^<[^>]*>; rel="(first|prev|next|last)"' },
  },
  Allow: {
    ...always,
    description: 'The methods that the resource has.',
    schema: { type: 'string', pattern: '^[A-Z]+(, [A-Z]+)*$' },
  },
  'Accept-Patch': {
    description: 'What PATCH takes, where there is one.',
    schema: { type: 'string', const: 'application/merge-patch+json, application/json' },
  },
  'Access-Control-Allow-Methods': {
    description: 'To a preflight of an origin that CORS_ORIGINS names.',
    schema: { type: 'string' },
  },
  'Access-Control-Allow-Headers': {
    description: 'Beside Access-Control-Allow-Methods.',
    schema: { type: 'string' },
  },
  'Access-Control-Max-Age': {
    description: 'Beside Access-Control-Allow-Methods, in seconds.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  'Retry-After': {
    ...always,
    description: 'When to try again, in seconds.',
    schema: { type: 'string', const: String(retryAfterSeconds) },
  },
  'WWW-Authenticate': {
    ...always,
    schema: { type: 'string', pattern: '^Basic realm=' },
  },
  'Content-Disposition': {
    description: 'The name of the file, where it is one.',
    schema: { type: 'string', pattern: '^attachment; filename=' },
  },
  'X-Pprof-Missing': {
    description: 'Processes and threads that have not answered.',
    schema: { type: 'string' },
  },
  'X-Go-Pprof': {
    description: "For Go's tool: the body is to be shown.",
    schema: { type: 'string', const: '1' },
  },
  'Content-Encoding': {
    description: 'As Accept-Encoding allows.',
    schema: { type: 'string', enum: ['br', 'gzip'] },
  },
} as const satisfies Readonly<Record<string, JsonObject>>;

export type HeaderName = keyof typeof headers;

/** The headers of every response. */
export const commonHeaders: readonly HeaderName[] = [
  'X-Request-Id',
  'Cache-Control',
  'X-Content-Type-Options',
  'Content-Security-Policy',
  'Cross-Origin-Resource-Policy',
  'Access-Control-Allow-Origin',
  'Access-Control-Expose-Headers',
  'Vary',
];

export function headerRefs(names: readonly HeaderName[]): JsonObject {
  return Object.fromEntries(
    names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const),
  );
}
