/** Serves the pages about the API. They are matched after the API's routes, which stay fast. */
import { isKnownTo } from '../contract/entity-tags.ts';
import { documentRoute } from '../telemetry/metrics/front-end-layout.ts';
import type { Encoding, FindPage, Page } from './docs/page.ts';
import type { Exchange } from './exchange.ts';
import type { Replies } from './reply.ts';

export interface DocumentOptions {
  /** `undefined`: no pages. */
  readonly find: FindPage | undefined;
  readonly replies: Replies;
  readonly fail: (exchange: Exchange, cause: unknown) => void;
}

const allow = 'GET, HEAD, OPTIONS';

/** @returns a handler for requests for a page; it returns `false` if there is no such page. */
export function createDocuments({ find, replies, fail }: DocumentOptions) {
  async function send(exchange: Exchange, page: Page, encoding: Encoding): Promise<void> {
    try {
      const { bytes, etag } = await page.content(encoding);
      const isKnown = exchange.ifNoneMatch !== '' && isKnownTo(exchange.ifNoneMatch, etag);
      replies.document(exchange, isKnown ? 304 : 200, {
        body: isKnown ? '' : bytes,
        contentType: page.contentType,
        policy: page.policy,
        more:
          `\r\nETag: ${etag}\r\nVary: ${page.vary}` +
          (encoding === 'identity' || isKnown ? '' : `\r\nContent-Encoding: ${encoding}`),
      });
    } catch (error) {
      fail(exchange, error);
    }
  }

  return function answerDocument(
    exchange: Exchange,
    path: string,
    acceptEncoding: string,
  ): boolean {
    const page = find?.(path, exchange.accept);
    if (page === undefined) return false;
    exchange.route = documentRoute;
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        void send(exchange, page, chooseEncoding(acceptEncoding));
        break;
      case 'OPTIONS':
        replies.noContent(exchange, allow);
        break;
      default:
        replies.problem(exchange, 'method_not_allowed', { allow });
    }
    return true;
  };
}

/** RFC 9110, section 12.5.3: the smallest encoding that the client accepts; `identity` if none. */
export function chooseEncoding(accept: string): Encoding {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(coding, quality === undefined ? 1 : Number(quality));
  }
  for (const encoding of ['br', 'gzip'] as const) {
    if ((weights.get(encoding) ?? weights.get('*') ?? 0) > 0) return encoding;
  }
  return 'identity';
}
