/**
 * The answer's bytes. Header blocks are made once; each answer adds what is its own. Several
 * headers go out in one call as one text, because every call crosses into native code. That is
 * safe here: nothing that a client sent stands in them but a request id that was checked.
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
 * For whoever opens an answer in a browser: it is data, whatever its bytes look like; nothing in it
 * runs, loads or is framed; no other site's page includes it. Others say nothing about JSON.
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
/** Of what PATCH takes (RFC 5789, section 3.1). */
const acceptPatch = 'Accept-Patch: application/merge-patch+json, application/json';
const errorHeaders: Readonly<Record<ProblemFormat, string>> = {
  envelope: `${problemContentType.envelope}${common}no-store`,
  problem: `${problemContentType.problem}${common}no-store`,
};
/** A longer body goes out as fast as its client reads. */
const atOnceMaxBytes = 16 * 1024;
const closeHeader = '\r\nConnection: close';

/** Status lines by number, such as `201 Created`. */
const statusLines: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(STATUS_CODES).map(([status, reason]) => [status, `${status} ${reason}`]),
);

export interface Replies {
  /** 200 with a body, and its ETag where there is one. */
  ok(exchange: Exchange, body: Uint8Array | string, etag?: string): void;
  list(exchange: Exchange, list: ListReply): void;
  created(exchange: Exchange, body: Uint8Array, task: CreatedTask): void;
  noContent(exchange: Exchange, allow?: string): void;
  /** A page of the administration. Its headers are made by us. */
  page(exchange: Exchange, answer: AdminAnswer): void;
  /** An answer whose body is made already: the faults of a body. */
  faults(exchange: Exchange, status: number, body: Uint8Array | string): void;
  problem(exchange: Exchange, code: ProblemCode, options?: ProblemOptions): void;
  /** A page about the API. */
  document(exchange: Exchange, status: 200 | 304, document: DocumentReply): void;
}

/** A page made by us, with what it needs to be shown in a browser. */
export interface DocumentReply {
  readonly body: Uint8Array | string;
  readonly contentType: string;
  /** Value of Content-Security-Policy. */
  readonly policy: string;
  /** Lines, each begun by CR LF. */
  readonly more: string;
}

export interface CreatedTask {
  readonly location: string;
  readonly etag: string;
  /** An earlier request with the same key has created it. */
  readonly isReplayed: boolean;
}

/** A list as it is kept. Links and tag are made by us, percent-encoded. */
export interface ListReply {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly links: string;
}

export interface ProblemOptions {
  readonly faults?: readonly [Fault, ...Fault[]];
  /** In place of the one that the problem has. */
  readonly message?: string;
  /** Value of the Allow header. */
  readonly allow?: string;
}

export interface RepliesOptions {
  /** True once connections must end with their next answer. */
  readonly isClosing: () => boolean;
  readonly traffic: Traffic;
  /** `undefined`: off. */
  readonly cors: Cors | undefined;
  /** Told of each answer that a client gets, just before it goes out. */
  readonly onAnswer: ((exchange: Exchange, status: number) => void) | undefined;
  /** Lines for the head of an answer, each begun by CR LF. */
  readonly moreHeaders: ((exchange: Exchange) => string) | undefined;
}

export function createReplies(options: RepliesOptions): Replies {
  const formatFor = createProblemFormats();
  const { isClosing, traffic, cors, onAnswer, moreHeaders } = options;

  /** Does nothing when the client is gone. Must be the last use of the response. */
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
        // Without an argument: with one, even undefined, it reports a length.
        response.endWithoutBody();
        return;
      }
      if (method === 'HEAD') {
        response.writeHeader('Content-Type', block + (close ? closeHeader : ''));
        response.writeHeader('Content-Length', String(Buffer.byteLength(body)));
        response.endWithoutBody();
      } else {
        response.writeHeader('Content-Type', block);
        // Says `Connection: close` itself when it closes.
        response.end(body, close);
      }
    });
  }

  /** What stands behind the request never runs: see closing.ts. */
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
   * What the system does not take at once is written as the client reads, and until then counts as
   * open: uWebSockets.js would keep a copy, and lose it when connections are closed.
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

  /** The headers that a 200 would have, as far as a cache needs them (RFC 9110, section 15.4.5). */
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

/** The client has said that it has this. */
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
