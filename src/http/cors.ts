/**
 * Which pages of other sites may read answers (Fetch standard, "CORS protocol"). The lines are made
 * once, of origins that the configuration has checked: what a request says is only looked up.
 * Credentials are never allowed, because the API has none.
 */

export interface Cors {
  /**
   * @param origin the request's Origin; empty: it has none.
   * @returns lines for its answer, each begun by CR LF.
   */
  linesFor(origin: string): string;
}

/** What a page may read beside the body. */
const exposed = 'ETag, Link, Location, X-Request-Id, Retry-After, Idempotency-Replayed';
/** What a page may send. */
const accepted = 'Accept, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id';
/** How long a browser may keep the answer to its preflight. */
const preflightSeconds = 600;

/** A cache between must not give one origin what was made for another. */
const vary = '\r\nVary: Origin';
const allowOrigin = 'Access-Control-Allow-Origin: ';

/** @param origins each `scheme://host[:port]`, or `*` alone; none: off. */
export function createCors(origins: readonly string[]): Cors | undefined {
  if (origins.length === 0) return undefined;
  if (origins.includes('*')) {
    const lines = allowLines('*');
    return { linesFor: () => lines };
  }
  const byOrigin = new Map(origins.map((origin) => [origin, vary + allowLines(origin)]));
  return { linesFor: (origin) => byOrigin.get(origin) ?? vary };
}

/**
 * @param lines those of the exchange.
 * @param allow the methods of the resource.
 * @returns what an answer to OPTIONS has besides; nothing for an origin that is not listed.
 */
export function preflightLines(lines: string, allow: string): string {
  if (!lines.includes(allowOrigin)) return '';
  return (
    `\r\nAccess-Control-Allow-Methods: ${allow}` +
    `\r\nAccess-Control-Allow-Headers: ${accepted}` +
    `\r\nAccess-Control-Max-Age: ${preflightSeconds}`
  );
}

function allowLines(origin: string): string {
  return `\r\n${allowOrigin}${origin}\r\nAccess-Control-Expose-Headers: ${exposed}`;
}
