/**
 * Which pages of other sites may read answers (Fetch standard, "CORS protocol"). The lines are made
 * once, of origins that the configuration has checked: what a request says is only looked up.
 * Credentials of the browser (cookies, Basic) are never allowed; a page may send an Authorization
 * header that it has made itself.
 */

export interface Cors {
  /**
   * @param origin the request's Origin; empty: it has none.
   * @returns lines for its answer, each begun by CR LF.
   */
  linesFor(origin: string): string;
  /**
   * @param lines those of the exchange.
   * @param allow the methods of the resource.
   * @returns what an answer to OPTIONS has besides; nothing for an origin that is not listed.
   */
  preflightLines(lines: string, allow: string): string;
}

/** What a page may read beside the body. */
const exposed = [
  'Accept-Patch',
  'Allow',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'Position',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Server-Timing',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');
/** What a page may send. */
const accepted = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-Request-Id',
  'traceparent',
  'tracestate',
] as const;
/** How long a browser may keep the answer to its preflight. */
const preflightSeconds = 600;

/** A cache between must not give one origin what was made for another. */
const vary = '\r\nVary: Origin';
const allowOrigin = 'Access-Control-Allow-Origin: ';

/**
 * @param origins each `scheme://host[:port]`, or `*` alone; none: off.
 * @param headers names of headers that pages may send beside those that we read.
 */
export function createCors(
  origins: readonly string[],
  headers: readonly string[],
): Cors | undefined {
  if (origins.length === 0) return undefined;
  const preflightLines = createPreflight(headers);
  if (origins.includes('*')) {
    const lines = allowLines('*');
    return { linesFor: () => lines, preflightLines };
  }
  const byOrigin = new Map(origins.map((origin) => [origin, vary + allowLines(origin)]));
  return { linesFor: (origin) => byOrigin.get(origin) ?? vary, preflightLines };
}

function createPreflight(headers: readonly string[]): Cors['preflightLines'] {
  const known = new Set<string>(accepted.map((name) => name.toLowerCase()));
  const more = headers.filter((name) => !known.has(name.toLowerCase()));
  const rest =
    `\r\nAccess-Control-Allow-Headers: ${[...accepted, ...more].join(', ')}` +
    `\r\nAccess-Control-Max-Age: ${preflightSeconds}`;
  return function preflightLines(lines, allow) {
    if (!lines.includes(allowOrigin)) return '';
    return `\r\nAccess-Control-Allow-Methods: ${allow}${rest}`;
  };
}

function allowLines(origin: string): string {
  return `\r\n${allowOrigin}${origin}\r\nAccess-Control-Expose-Headers: ${exposed}`;
}
