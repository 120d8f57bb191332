/**
 * The hot path: from a readable socket to a queued request. A request passes these functions from top to bottom;
 * responder.ts has the way back.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Visitor } from '../admin/access.ts';
import type { AdminPage, AdminRequest } from '../admin/admin-page.ts';
import { wantsProblemFlag } from '../batching/frames.ts';
import { type Endpoint, hasBody, type Kind, type Method } from '../contract/endpoints.ts';
import { bodiesHeldMaxBytes } from '../contract/limits.ts';
import { createListKeys } from '../contract/list-key.ts';
import { createProblemFormats, type Fault } from '../contract/problems.ts';
import { isUrlTooLong } from '../contract/url-length.ts';
import { adminRoute } from '../telemetry/metrics/front-end-layout.ts';
import { readBody } from './body.ts';
import { keepHead, type Received, type RequestHead, readChunks } from './chunks.ts';
import { takeConditions } from './conditions.ts';
import type { FindPage } from './docs/page.ts';
import {
  createRequestIds,
  type Exchange,
  type ExchangeOptions,
  type Held,
  holdBytes,
  openExchange,
} from './exchange.ts';
import { checkBody, createFramingCheck, type FramingFault, noLength } from './guard.ts';
import { parseId } from './identifier.ts';
import { isHere } from './peer.ts';
import type { Replies } from './reply.ts';
import { createHeaderReader, type RequestHeaders } from './request-headers.ts';
import type { Responder } from './responder.ts';
import { createRouter } from './router.ts';
import { createDocuments } from './send-page.ts';

/** Pages of the administration: metrics, profiles. */
export interface AdminGate {
  owns(path: string): boolean;
  isAllowed(visitor: Visitor): boolean;
  /** Rejects when the page is not available now. */
  readonly visit: AdminPage;
}

export interface RequestHandlerOptions {
  readonly responder: Responder;
  readonly endpoints: readonly Endpoint[];
  readonly requestTimeoutMs: number;
  /** Queues a request or passes it to the list cache; `false`: the queue is full. */
  readonly enqueue: (kind: Kind, exchange: Exchange) => boolean;
  /** The message of a failing readiness probe; `undefined`: ready. Never rejects. */
  readonly whyNotReady: () => Promise<string | undefined>;
  readonly admin: AdminGate;
  readonly onAborted: ExchangeOptions['onAborted'];
  /** Pages about the API; `undefined`: none. */
  readonly findPage: FindPage | undefined;
}

/** Handles every request. Never throws. */
export type RequestHandler = (response: HttpResponse, request: HttpRequest) => void;

const aliveBody = JSON.stringify({
  data: { alive: true },
  meta: null,
  message: 'success',
  errors: [],
  status: 'ok',
});
const readyBody = aliveBody.replace('alive', 'ready');
/** POST, because Go's pprof tool requests symbols with it. */
const adminAllow = 'GET, HEAD, POST, OPTIONS';
const bodiesTooLarge = 'the bodies that wait are too large together';
const idFault: Fault = {
  code: 'invalid',
  field: 'id',
  message: 'must be a decimal number from 1, without sign, leading zero or space',
};

export function createRequestHandler(options: RequestHandlerOptions): RequestHandler {
  const router = createRouter(options.endpoints);
  const { admin } = options;
  const { traffic, cors, replies, fail, failForBug } = options.responder;
  const answerDocument = createDocuments({ find: options.findPage, replies, fail: failForBug });
  const parseList = createListKeys();
  const readHeaders = createHeaderReader();
  const checkFraming = createFramingCheck();
  const formatFor = createProblemFormats();
  const held: Held = { bytes: 0 };
  const exchangeOptions: ExchangeOptions = {
    held,
    nextRequestId: createRequestIds(),
    requestTimeoutMs: options.requestTimeoutMs,
    traffic,
    onAborted: options.onAborted,
    cors,
  };

  function handle(response: HttpResponse, request: HttpRequest): void {
    const headers = readHeaders(request);
    const exchange = openExchange(response, request, headers, exchangeOptions);
    try {
      const framingFault = checkFraming(headers);
      if (framingFault !== undefined) return refuseLater(replies, exchange, framingFault);
      if (headers.transferEncodings > 0) return awaitChunks(exchange, request, { ...headers });
      dispatch(exchange, request, headers);
    } catch (error) {
      failForBug(exchange, error);
    }
  }

  /**
   * After its last chunk, it is handled like a request with a length, but closes its connection.
   */
  function awaitChunks(
    exchange: Exchange,
    request: HttpRequest,
    headers: Readonly<RequestHeaders>,
  ): void {
    exchange.closes = true;
    const head = keepHead(request);
    readChunks(exchange, function takeChunks(received) {
      exchange.deadline = performance.now() + options.requestTimeoutMs;
      try {
        dispatch(exchange, head, { ...headers, contentLength: String(received.bytes) }, received);
      } catch (error) {
        failForBug(exchange, error);
      }
    });
  }

  /** @param received the chunked body. */
  function dispatch(
    exchange: Exchange,
    request: RequestHead,
    headers: Readonly<RequestHeaders>,
    received?: Received,
  ): void {
    const path = request.getUrl();
    const query = request.getQuery() ?? '';
    if (isUrlTooLong(path, query)) return replies.problem(exchange, 'uri_too_long');

    const match = router.match(path);
    if (match === undefined) return answerElsewhere(exchange, request, headers, path, query);
    const { route, actions, allow, hasId } = match.resource;
    exchange.route = route;
    if (exchange.method === 'OPTIONS') return replies.noContent(exchange, allow);
    const action = Object.hasOwn(actions, exchange.method)
      ? actions[exchange.method as Method]
      : undefined;
    if (action === undefined) return replies.problem(exchange, 'method_not_allowed', { allow });

    if (action === 'alive') return replies.ok(exchange, aliveBody);
    if (action === 'ready') return void probe(exchange);
    if (hasId) {
      const id = parseId(match.id);
      if (id === 'malformed') return replies.problem(exchange, 'invalid', { faults: [idFault] });
      if (id === 'absent') return replies.problem(exchange, 'not_found');
      exchange.id = id;
    }
    accept(action, exchange, headers, query, received);
  }

  /** Handles a path that is not an endpoint of the API. */
  function answerElsewhere(
    exchange: Exchange,
    request: RequestHead,
    headers: Readonly<RequestHeaders>,
    path: string,
    query: string,
  ): void {
    if (!admin.owns(path)) {
      exchange.ifNoneMatch = headers.ifNoneMatch ?? '';
      if (answerDocument(exchange, path, request.getHeader('accept-encoding'))) return;
      return replies.problem(exchange, 'not_found');
    }
    exchange.route = adminRoute;
    const { method, response } = exchange;
    if (method === 'OPTIONS') return replies.noContent(exchange, adminAllow);
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
      return replies.problem(exchange, 'method_not_allowed', { allow: adminAllow });
    }
    const visitor = {
      path,
      authorization: request.getHeader('authorization'),
      isHere: isHere(response, request),
    };
    if (!admin.isAllowed(visitor)) return replies.problem(exchange, 'unauthorized');
    void visitAdmin(exchange, { path, query: new URLSearchParams(query), accept: headers.accept });
  }

  async function visitAdmin(exchange: Exchange, request: AdminRequest): Promise<void> {
    const gone = new AbortController();
    exchange.onGone = () => gone.abort();
    try {
      replies.page(exchange, await admin.visit(request, gone.signal));
    } catch {
      replies.problem(exchange, 'unavailable');
    }
  }

  function accept(
    kind: Kind,
    exchange: Exchange,
    headers: Readonly<RequestHeaders>,
    query: string,
    received: Received | undefined,
  ): void {
    if (kind === 'list') {
      const parsed = parseList(query);
      if (!parsed.ok) return replies.problem(exchange, 'invalid', { faults: parsed.faults });
      exchange.list = parsed.key;
    }
    const fault = takeConditions(kind, exchange, headers);
    if (fault !== undefined) return replies.problem(exchange, 'invalid', { faults: [fault] });
    if (!hasBody(kind)) return enqueue(kind, exchange);

    const length = checkBody(headers, exchange.method === 'PATCH');
    if (length.problem === 'length_required') return refuseLater(replies, exchange, noLength);
    if (length.problem !== undefined) return replies.problem(exchange, length.problem);
    if (received === undefined && !holdBytes(exchange, length.bytes, bodiesHeldMaxBytes)) {
      return fail(exchange, 'overloaded', bodiesTooLarge);
    }
    // The executor encodes the faults of a body, so it must know the format.
    if (formatFor(exchange.accept) === 'problem') exchange.flags |= wantsProblemFlag;
    if (received !== undefined) {
      if (received.body === undefined) return fail(exchange, 'overloaded', bodiesTooLarge);
      exchange.body = received.body;
      return enqueue(kind, exchange);
    }
    readBody(exchange.response, length.bytes, function takeBody(body) {
      exchange.body = body;
      exchange.deadline = performance.now() + options.requestTimeoutMs;
      // Called from native code: an exception would end the process.
      try {
        enqueue(kind, exchange);
      } catch (error) {
        failForBug(exchange, error);
      }
    });
  }

  function enqueue(kind: Kind, exchange: Exchange): void {
    if (!options.enqueue(kind, exchange)) fail(exchange, 'overloaded', 'the queue is full');
  }

  async function probe(exchange: Exchange): Promise<void> {
    const message = await options.whyNotReady();
    if (message === undefined) replies.ok(exchange, readyBody);
    else replies.problem(exchange, 'unavailable', { message });
  }

  return handle;
}

/**
 * Responds after the parser has passed the bytes after the request, and closes the connection.
 * Nothing after an ambiguous framing ever runs.
 */
function refuseLater(
  replies: Replies,
  exchange: Exchange,
  { problem, faults }: FramingFault,
): void {
  exchange.closes = true;
  setImmediate(() => replies.problem(exchange, problem, faults === undefined ? {} : { faults }));
}
