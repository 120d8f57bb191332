/**
 * Writes responses. Header blocks are built once; each response adds its own headers. Several
 * headers are written with one call, because each call crosses into native code. This is safe: the
 * only text from a client in them is a validated request id.
 */
import { STATUS_CODES } from 'node:http';
import type { AdminAnswer } from '../admin/admin-page.ts';
import { authenticateHeader } from '../admin/basic-auth.ts';
import { dataPolicy, operatorPolicy } from '../base/content-policies.ts';
import { isKnownTo } from '../contract/entity-tags.ts';
import {
  createProblemFormats,
  encodeProblem,
  type Fault,
  faultOf,
  isFailure,
  isRetryable,
  type ProblemCode,
  type ProblemFormat,
  problemContentType,
  problems,
  retryAfterHeader,
} from '../contract/problems.ts';
import { type Closing, closeWithBody, closeWithHead } from './closing.ts';
import type { Cors } from './cors.ts';
import { closeExchange, type Exchange, leaveTraffic, type Traffic } from './exchange.ts';

/**
 * For a response opened in a browser: it is data whatever its bytes look like. It runs, loads and
 * frames nothing, and no page of another site embeds it. Other security headers have no effect on
 * JSON.
 */
const guarded =
  `nosniff\r\nContent-Security-Policy: ${dataPolicy}` +
  '\r\nCross-Origin-Resource-Policy: same-origin\r\nCache-Control: ';
const common = `\r\nX-Content-Type-Options: ${guarded}`;
const safeHeaders = `${problemContentType.envelope}${common}no-cache`;
const unsafeHeaders = `${problemContentType.envelope}${common}no-store`;
const noContentHeaders = `${guarded}no-store`;
const notModifiedHeaders = `${guarded}no-cache`;
const pageHeaders = `${common}no-store`.replace(dataPolicy, operatorPolicy);
/** The types that PATCH accepts (RFC 5789, section 3.1). */
const acceptPatch = 'Accept-Patch: application/merge-patch+json, application/json';
const errorHeaders: Readonly<Record<ProblemFormat, string>> = {
  envelope: `${problemContentType.envelope}${common}no-store`,
  problem: `${problemContentType.problem}${common}no-store`,
};
/** A longer body is written as fast as its client reads. */
const atOnceMaxBytes = 16 * 1024;
const closeHeader = '\r\nConnection: close';

/** Status lines by number, for example `201 Created`. */
const statusLines: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(STATUS_CODES).map(([status, reason]) => [status, `${status} ${reason}`]),
);

export interface Replies {
  /** 200 with a body, and an ETag if there is one. */
  ok(exchange: Exchange, body: Uint8Array | string, etag?: string): void;
  list(exchange: Exchange, list: ListReply): void;
  created(exchange: Exchange, body: Uint8Array, task: CreatedTask): void;
  noContent(exchange: Exchange, allow?: string): void;
  /** A page of the administration. The service makes its headers. */
  page(exchange: Exchange, answer: AdminAnswer): void;
  /** A response whose body exists already: the faults of a body. */
  faults(exchange: Exchange, status: number, body: Uint8Array | string): void;
  problem(exchange: Exchange, code: ProblemCode, options?: ProblemOptions): void;
  /** A page about the API. */
  document(exchange: Exchange, status: 200 | 304, document: DocumentReply): void;
}

/** A page with the headers that a browser needs. */
export interface DocumentReply {
  readonly body: Uint8Array | string;
  readonly contentType: string;
  /** The value of Content-Security-Policy. */
  readonly policy: string;
  /** Header lines, each starting with CR LF. */
  readonly more: string;
}

export interface CreatedTask {
  readonly location: string;
  readonly etag: string;
  /** An earlier request with the same Idempotency-Key created it. */
  readonly isReplayed: boolean;
}

/** A list from the cache. Links and tag are percent-encoded. */
export interface ListReply {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly links: string;
}

export interface ProblemOptions {
  readonly faults?: readonly [Fault, ...Fault[]];
  /** Replaces the problem's message. */
  readonly message?: string;
  /** The value of Allow. */
  readonly allow?: string;
}

export interface RepliesOptions {
  /** True while draining: each response closes its connection. */
  readonly isClosing: () => boolean;
  readonly traffic: Traffic;
  /** `undefined`: CORS is off. */
  readonly cors: Cors | undefined;
  /** Called just before each response is written. */
  readonly onAnswer: ((exchange: Exchange, status: number) => void) | undefined;
  /** Further header lines, each starting with CR LF. */
  readonly moreHeaders: ((exchange: Exchange) => string) | undefined;
}

export function createReplies(options: RepliesOptions): Replies {
  const formatFor = createProblemFormats();
  const { isClosing, traffic, cors, onAnswer, moreHeaders } = options;

  /** Does nothing if the client has disconnected. Must be the last use of the response. */
  function send(
    exchange: Exchange,
    status: number,
    headers: string,
    body: Uint8Array | string,
  ): void {
    if (!exchange.open) return;
    closeExchange(exchange);
    onAnswer?.(exchange, status);
    const { response, requestId, method, closes } = exchange;
    const close = isClosing();
    let block = `${headers}${exchange.cors}\r\nX-Request-Id: ${requestId}`;
    if (moreHeaders !== undefined) block += moreHeaders(exchange);
    if (closes) return sendAndClose(exchange, status, block, body);
    response.cork(function writeReply() {
      if (status !== 200) response.writeStatus(statusLines[status]!);
      if (body.length > atOnceMaxBytes && method !== 'HEAD') {
        response.writeHeader('Content-Type', block + (close ? closeHeader : ''));
        writeLong(exchange, body);
        return;
      }
      leaveTraffic(exchange, traffic);
      if (status === 204 || status === 304) {
        response.writeHeader('X-Content-Type-Options', block + (close ? closeHeader : ''));
        // No argument: even `undefined` would announce a length.
        response.endWithoutBody();
        return;
      }
      if (method === 'HEAD') {
        response.writeHeader('Content-Type', block + (close ? closeHeader : ''));
        response.writeHeader('Content-Length', String(Buffer.byteLength(body)));
        response.endWithoutBody();
      } else {
        response.writeHeader('Content-Type', block);
        // uWebSockets.js adds `Connection: close` itself.
        response.end(body, close);
      }
    });
  }

  /** No later request on the connection runs: see closing.ts. */
  function sendAndClose(
    exchange: Exchange,
    status: number,
    block: string,
    body: Uint8Array | string,
  ): void {
    const { response, method } = exchange;
    const statusLine = statusLines[status]!;
    const lines = `${block}${closeHeader}`;
    const isBodiless = status === 204 || status === 304;
    const closing: Closing = {
      response,
      isPaused: exchange.isPaused,
      isThere: () => exchange.counts,
      onTaken: () => leaveTraffic(exchange, traffic),
    };
    if (isBodiless || method === 'HEAD' || body.length === 0) {
      if (isBodiless) return closeWithHead(closing, statusLine, 'X-Content-Type-Options', lines);
      const length = `\r\nContent-Length: ${Buffer.byteLength(body)}`;
      return closeWithHead(closing, statusLine, 'Content-Type', lines + length);
    }
    function writeHead(): void {
      response.writeStatus(statusLine);
      response.writeHeader('Content-Type', lines);
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    closeWithBody(closing, writeHead, bytes);
  }

  /**
   * Writes what the kernel does not take at once as the client reads; the exchange stays open until
   * then. uWebSockets.js would buffer a copy, and lose it when connections are closed.
   */
  function writeLong(exchange: Exchange, body: Uint8Array | string): void {
    const { response } = exchange;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const begin = response.getWriteOffset();
    function writeRest(from: number): boolean {
      const [isTaken, isDone] = response.tryEnd(bytes.subarray(from), bytes.byteLength);
      if (isDone) leaveTraffic(exchange, traffic);
      return isTaken;
    }
    writeRest(0);
    if (exchange.counts) response.onWritable((offset) => writeRest(offset - begin));
  }

  function problem(exchange: Exchange, code: ProblemCode, options: ProblemOptions = {}): void {
    const format = formatFor(exchange.accept);
    const { status } = problems[code];
    const requestId = isFailure(code) ? exchange.requestId : undefined;
    const { message } = options;
    const body = encodeProblem(
      options.faults ?? faultOf(code, message),
      format,
      requestId,
      message,
    );
    const headers =
      errorHeaders[format] +
      (options.allow === undefined ? '' : `\r\nAllow: ${options.allow}`) +
      (code === 'unauthorized' ? `\r\n${authenticateHeader}` : '') +
      (isRetryable(code) ? `\r\n${retryAfterHeader}` : '');
    send(exchange, status, headers, body);
  }

  /** The headers of a 200 that a cache needs (RFC 9110, section 15.4.5). */
  function notModified(exchange: Exchange, etag: string, more: string): void {
    send(exchange, 304, withEtag(notModifiedHeaders, etag) + more, '');
  }

  return {
    ok(exchange, body, etag) {
      if (isFresh(exchange, etag)) return notModified(exchange, etag!, '');
      send(exchange, 200, withEtag(isSafe(exchange) ? safeHeaders : unsafeHeaders, etag), body);
    },
    list(exchange, { body, etag, links }) {
      if (isFresh(exchange, etag)) return notModified(exchange, etag, `\r\nLink: ${links}`);
      send(exchange, 200, `${withEtag(safeHeaders, etag)}\r\nLink: ${links}`, body);
    },
    created(exchange, body, { location, etag, isReplayed }) {
      const headers = `${withEtag(unsafeHeaders, etag)}\r\nLocation: ${location}`;
      send(exchange, 201, isReplayed ? `${headers}\r\nIdempotency-Replayed: true` : headers, body);
    },
    noContent(exchange, allow) {
      let headers = noContentHeaders;
      if (allow !== undefined) {
        headers += allowLines(allow) + (cors?.preflightLines(exchange.cors, allow) ?? '');
      }
      send(exchange, 204, headers, '');
    },
    faults(exchange, status, body) {
      send(exchange, status, errorHeaders[formatFor(exchange.accept)], body);
    },
    page(exchange, { status, contentType, body, headers = {} }) {
      let block = contentType + pageHeaders;
      for (const [name, value] of Object.entries(headers)) {
        if (name !== 'X-Content-Type-Options') block += `\r\n${name}: ${value}`;
      }
      send(exchange, status, block, body);
    },
    problem,
    document(exchange, status, { body, contentType, policy, more }) {
      const shown =
        `nosniff\r\nContent-Security-Policy: ${policy}` +
        `\r\nCross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-cache${more}`;
      const isBodiless = status === 304;
      const type = `${contentType}\r\nX-Content-Type-Options: `;
      send(exchange, status, isBodiless ? shown : type + shown, body);
    },
  };
}

/** The client already has this representation. */
function isFresh({ ifNoneMatch }: Exchange, etag: string | undefined): boolean {
  return ifNoneMatch !== '' && etag !== undefined && isKnownTo(ifNoneMatch, etag);
}

function allowLines(allow: string): string {
  return `\r\nAllow: ${allow}${allow.includes('PATCH') ? `\r\n${acceptPatch}` : ''}`;
}

function isSafe(exchange: Exchange): boolean {
  return exchange.method === 'GET' || exchange.method === 'HEAD';
}

function withEtag(headers: string, etag: string | undefined): string {
  return etag === undefined ? headers : `${headers}\r\nETag: ${etag}`;
}
