/**
 * Every expected failure: its code, its HTTP status and its message. A fault is one error in one
 * field; a problem is the response that lists the faults.
 */
import { chooseMediaType } from './accept.ts';
import { retryAfterSeconds } from './limits.ts';

export const problems = {
  malformed_json: { status: 400, message: 'The body is not valid JSON.' },
  missing_field: { status: 400, message: 'The request is not valid.' },
  invalid: { status: 400, message: 'The request is not valid.' },
  too_long: { status: 400, message: 'The request is not valid.' },
  unknown_field: { status: 400, message: 'The request is not valid.' },
  unknown_parameter: { status: 400, message: 'The request is not valid.' },
  unauthorized: { status: 401, message: 'The page needs credentials.' },
  not_found: { status: 404, message: 'There is no such resource.' },
  method_not_allowed: { status: 405, message: 'The resource does not have this method.' },
  conflict: {
    status: 409,
    message: 'A request with the same Idempotency-Key is under way.',
  },
  length_required: {
    status: 411,
    message: 'The request needs a Content-Length, or a body in chunks.',
  },
  precondition_failed: {
    status: 412,
    message: 'If-Match or If-None-Match does not allow this.',
  },
  payload_too_large: { status: 413, message: 'The body is too large.' },
  uri_too_long: { status: 414, message: 'The URL is too long.' },
  unsupported_media_type: { status: 415, message: 'The body must be application/json.' },
  idempotency_key_reused: {
    status: 422,
    message: 'The Idempotency-Key has been used with another body.',
  },
  rejected: { status: 422, message: "The database's own rules reject this." },
  internal: { status: 500, message: 'The service failed.' },
  not_implemented: { status: 501, message: 'The only transfer coding is chunked.' },
  overloaded: { status: 503, message: 'The service has too much to do.' },
  unavailable: { status: 503, message: 'The service cannot reach its database.' },
  outcome_unknown: {
    status: 503,
    message: 'Whether the write took effect is not known: read before trying again.',
  },
} as const satisfies Readonly<Record<string, { status: number; message: string }>>;

export type ProblemCode = keyof typeof problems;

/** The codes in a fixed order: a frame contains the index of a code. */
export const problemCodes = Object.keys(problems) as readonly ProblemCode[];

export interface Fault {
  readonly code: ProblemCode;
  /** The invalid field or parameter; `null`: the request as a whole. */
  readonly field: string | null;
  readonly message: string;
}

/** `envelope`: the five keys of every response. `problem`: RFC 9457, if the client asks for it. */
export type ProblemFormat = 'envelope' | 'problem';

export const problemContentType: Readonly<Record<ProblemFormat, string>> = {
  envelope: 'application/json; charset=utf-8',
  problem: 'application/problem+json; charset=utf-8',
};

/** The Accept headers of most clients; they need no parsing. */
const plainAccepts: ReadonlySet<string> = new Set(['', '*/*', 'application/json']);
/**
 * @returns a function that chooses the format of an error by the Accept header. The envelope wins a
 * tie.
 */
export function createProblemFormats(): (accept: string) => ProblemFormat {
  // Clients repeat their header, so one is cached.
  let lastAccept = '';
  let lastFormat: ProblemFormat = 'envelope';

  return function formatFor(accept) {
    if (plainAccepts.has(accept)) return 'envelope';
    if (accept === lastAccept) return lastFormat;
    const { envelope, problem } = problemContentType;
    lastFormat = chooseMediaType(accept, [envelope, problem]) === problem ? 'problem' : 'envelope';
    lastAccept = accept;
    return lastFormat;
  };
}

/**
 * The body of an error response.
 * @param faults at least one; the first decides status and message.
 * @param requestId in responses whose cause is only in the log.
 * @param plain replaces the message of the problem, where that says too little.
 */
export function encodeProblem(
  faults: readonly [Fault, ...Fault[]],
  format: ProblemFormat,
  requestId?: string,
  plain: string = problems[faults[0].code].message,
): string {
  const { status } = problems[faults[0].code];
  const message = requestId === undefined ? plain : `${plain} Request id: ${requestId}`;
  if (format === 'envelope') {
    return JSON.stringify({ data: null, meta: null, message, errors: faults, status: 'fail' });
  }
  return JSON.stringify({
    type: 'about:blank',
    title: message,
    status,
    ...(requestId === undefined ? {} : { instance: `urn:request:${requestId}` }),
    errors: faults,
  });
}

/** The single fault of a problem that concerns the request as a whole. */
export function faultOf(code: ProblemCode, message: string = problems[code].message): [Fault] {
  return [{ code, field: null, message }];
}

/** A failure of the service or a dependency: logged, and the response has the request id. */
export function isFailure(code: ProblemCode): boolean {
  return problems[code].status >= 500 && code !== 'not_implemented';
}

export function isRetryable(code: ProblemCode): boolean {
  return problems[code].status === 503 || code === 'conflict';
}

export const retryAfterHeader = `Retry-After: ${retryAfterSeconds}`;
