/** The problems that an endpoint may return, derived from what it does. */
import { type Endpoint, hasBody, isRead, type Kind } from './endpoints.ts';
import type { ProblemCode } from './problems.ts';

/** Problems of any request before its endpoint is known: framing, host, URL length. */
export const framingProblems: readonly ProblemCode[] = [
  'invalid',
  'length_required',
  'uri_too_long',
  'not_implemented',
];

const bodyProblems: readonly ProblemCode[] = [
  'malformed_json',
  'too_long',
  'unknown_field',
  'payload_too_large',
  'unsupported_media_type',
];

/** @returns each code once. Includes `internal`, which any endpoint may return. */
export function problemsOf(endpoint: Endpoint): ProblemCode[] {
  const { action, method, path } = endpoint;
  const codes: ProblemCode[] = [...framingProblems, 'internal'];
  if (action === 'alive') return codes;
  if (action === 'ready') return [...codes, 'unavailable'];
  if (path.endsWith('/:id')) codes.push('not_found');
  if (hasBody(action)) codes.push(...bodyProblems);
  // A patch may be empty: it changes nothing.
  if (hasBody(action) && method !== 'PATCH') codes.push('missing_field');
  codes.push(...problemsOfKind(action), 'overloaded', 'unavailable');
  return isRead(action) ? codes : [...codes, 'outcome_unknown'];
}

function problemsOfKind(kind: Kind): readonly ProblemCode[] {
  switch (kind) {
    case 'create':
      return ['conflict', 'precondition_failed', 'idempotency_key_reused', 'rejected'];
    case 'change':
    case 'remove':
      return ['precondition_failed', 'rejected'];
    case 'list':
    case 'search':
      return ['unknown_parameter'];
    case 'read':
      return [];
  }
}
