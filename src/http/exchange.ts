/**
 * A request and its pending response. It copies what is needed later: uWebSockets.js invalidates
 * the request when its handler returns.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Waiting } from '../batching/batcher.ts';
import type { RequestItem } from '../batching/frames.ts';
import type { ListKey } from '../contract/list-key.ts';
import { requestIdPattern } from '../contract/request-id.ts';
import type { Cors } from './cors.ts';
import type { RequestHeaders } from './request-headers.ts';

export interface Exchange extends Waiting, RequestItem {
  readonly response: HttpResponse;
  readonly method: string;
  readonly requestId: string;
  readonly held: Held;
  /** The Accept header; only errors use it. */
  readonly accept: string;
  /** The traceparent header; only the log uses it. */
  readonly traceparent: string;
  id: number;
  /** The path of the endpoint, or the name of another page; empty: unknown. */
  route: string;
  /** Starts at the last byte of the body: the time of a slow upload does not count. */
  deadline: number;
  body: Uint8Array;
  flags: number;
  extra: string;
  /** The If-None-Match header; empty: absent. */
  ifNoneMatch: string;
  /** Bytes of its body, while the exchange is open. */
  heldBytes: number;
  /** The connection ends with the response: no later request on it may run. */
  closes: boolean;
  /** The connection is not read until the response is on its way. */
  isPaused: boolean;
  /** The query of a list request. */
  list: ListKey | undefined;
  /** CORS header lines for the response, each starting with CR LF; empty: none. */
  readonly cors: string;
  /** True until the last byte is handed to the kernel or the client disconnects: see Traffic. */
  counts: boolean;
  /** Called when the client disconnects; for long tasks. */
  onGone: (() => void) | undefined;
  /** False once it was answered or the client has disconnected: the response must not be used. */
  open: boolean;
}

/** The requests of a front end, from the head to the last byte of the response. */
export interface Traffic {
  /** Requests whose head was read and whose response is not yet fully with the kernel. */
  open: number;
  /** Requests since the start. */
  opened: number;
}

/** The bytes that the open exchanges of a server hold together. */
export interface Held {
  bytes: number;
}

export interface ExchangeOptions {
  readonly held: Held;
  readonly traffic: Traffic;
  /** Called for each exchange whose client disconnects before the response. */
  readonly onAborted: ((exchange: Exchange) => void) | undefined;
  /** `undefined`: CORS is off. */
  readonly cors: Cors | undefined;
  /** Creates an id for a request without one. */
  readonly nextRequestId: () => string;
  readonly requestTimeoutMs: number;
}

const nobody = new Uint8Array(0);
const acceptableRequestId = new RegExp(`^${requestIdPattern}$`);

/** Attaches the abort handler first: without one, uWebSockets.js aborts the process. */
export function openExchange(
  response: HttpResponse,
  request: HttpRequest,
  headers: Readonly<RequestHeaders>,
  options: ExchangeOptions,
): Exchange {
  const { traffic, cors } = options;
  traffic.open++;
  traffic.opened++;
  const exchange: Exchange = {
    response,
    method: request.getCaseSensitiveMethod(),
    requestId: requestIdOf(headers.requestId, options.nextRequestId),
    accept: headers.accept,
    traceparent: headers.traceparent,
    flags: 0,
    deadline: performance.now() + options.requestTimeoutMs,
    id: 0,
    route: '',
    sentAt: 0,
    timing: undefined,
    body: nobody,
    extra: '',
    ifNoneMatch: '',
    heldBytes: 0,
    closes: false,
    isPaused: false,
    list: undefined,
    cors: cors === undefined ? '' : cors.linesFor(request.getHeader('origin')),
    counts: true,
    onGone: undefined,
    open: true,
    held: options.held,
  };
  response.onAborted(function markAborted() {
    if (exchange.open) options.onAborted?.(exchange);
    closeExchange(exchange);
    leaveTraffic(exchange, traffic);
    exchange.onGone?.();
  });
  return exchange;
}

function requestIdOf(given: string, next: () => string): string {
  return given !== '' && acceptableRequestId.test(given) ? given : next();
}

/** It was answered, or the client has disconnected. */
export function closeExchange(exchange: Exchange): void {
  exchange.open = false;
  releaseBytes(exchange);
}

/**
 * @returns `false` if all exchanges together would then hold more than `maxBytes`; nothing is held.
 */
export function holdBytes(exchange: Exchange, bytes: number, maxBytes: number): boolean {
  const { held } = exchange;
  if (held.bytes + bytes > maxBytes) return false;
  held.bytes += bytes;
  exchange.heldBytes += bytes;
  return true;
}

export function releaseBytes(exchange: Exchange): void {
  exchange.held.bytes -= exchange.heldBytes;
  exchange.heldBytes = 0;
}

/** Removes an exchange from the traffic; further calls have no effect. */
export function leaveTraffic(exchange: Exchange, traffic: Traffic): void {
  if (!exchange.counts) return;
  exchange.counts = false;
  traffic.open--;
}

/** Request ids of this process: a random prefix, which differs after a restart, and a counter. */
export function createRequestIds(random: () => number = Math.random): () => string {
  const prefix = Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
