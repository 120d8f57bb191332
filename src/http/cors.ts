/**
 * Which other origins may read responses (Fetch standard, "CORS protocol"). The header lines are
 * built once from the configured origins; a request only selects among them. Browser credentials
 * (cookies, Basic) are never allowed. A page may send an Authorization header that it sets itself.
 */

export interface Cors {
  /**
   * @param origin the Origin header; empty: absent.
   * @returns header lines for the response, each starting with CR LF.
   */
  linesFor(origin: string): string;
  /**
   * @param lines the result of linesFor.
   * @param allow the methods of the resource.
   * @returns more lines for a response to OPTIONS; empty for an origin that is not listed.
   */
  preflightLines(lines: string, allow: string): string;
}

/** The response headers that a page may read. */
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
/** The request headers that a page may send. */
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
/** How long a browser may cache a preflight response. */
const preflightSeconds = 600;

/** A shared cache must not serve one origin's response to another. */
const vary = '\r\nVary: Origin';
const allowOrigin = 'Access-Control-Allow-Origin: ';

/**
 * @param origins each `scheme://host[:port]`, or `*` alone; none: CORS is off.
 * @param headers further request headers that pages may send.
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
