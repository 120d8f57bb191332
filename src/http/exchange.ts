/**
 * One request and the answer that it waits for. Everything that is needed later is copied here,
 * because uWebSockets.js takes the request back when its handler returns.
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
  /** The header: only an error looks at it. */
  readonly accept: string;
  /** The header: only a line of the log looks at it. */
  readonly traceparent: string;
  id: number;
  /** The path of its endpoint, a name for other pages; empty: unknown. */
  route: string;
  /** Counts from the last byte: a body that comes slowly has not waited for us. */
  deadline: number;
  body: Uint8Array;
  flags: number;
  extra: string;
  /** Empty: none. */
  ifNoneMatch: string;
  /** Of the body, as long as the exchange is open. */
  heldBytes: number;
  /** The connection ends with the answer: nothing that stands behind this request may run. */
  closes: boolean;
  /** Nothing more is read of the connection until the answer is on its way. */
  isPaused: boolean;
  /** What a list request asks for. */
  list: ListKey | undefined;
  /** Lines of CORS for its answer, each begun by CR LF; empty where it is off. */
  readonly cors: string;
  /** True until the answer's last byte is the system's, or the client is gone: see Traffic. */
  counts: boolean;
  /** The client has left; for what works on it for long. */
  onGone: (() => void) | undefined;
  /** False once it was answered or the client went away: the response must not be touched. */
  open: boolean;
}

/** What a front end has to do with requests, from head to the answer's last byte. */
export interface Traffic {
  /** Requests whose head was read and whose answer the system has not taken whole. */
  open: number;
  /** Requests since the start. */
  opened: number;
}

/** What the open exchanges of a server hold together. */
export interface Held {
  bytes: number;
}

export interface ExchangeOptions {
  readonly held: Held;
  readonly traffic: Traffic;
  /** Told of each whose client has left before the answer. */
  readonly onAborted: ((exchange: Exchange) => void) | undefined;
  /** `undefined`: off. */
  readonly cors: Cors | undefined;
  /** Makes an id for requests that bring none. */
  readonly nextRequestId: () => string;
  readonly requestTimeoutMs: number;
}

const nobody = new Uint8Array(0);
const acceptableRequestId = new RegExp(`^${requestIdPattern}$`);

/** Attaches the abort handler first: uWebSockets.js ends the process where it finds none. */
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

/** It was answered, or the client went away. */
export function closeExchange(exchange: Exchange): void {
  exchange.open = false;
  releaseBytes(exchange);
}

/** @returns `false`, and holds nothing, where all together would hold more than `maxBytes`. */
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

/** Counts an exchange out, once. */
export function leaveTraffic(exchange: Exchange, traffic: Traffic): void {
  if (!exchange.counts) return;
  exchange.counts = false;
  traffic.open--;
}

/** Ids of this process: a random part, so that restarts and processes differ, and a count. */
export function createRequestIds(random: () => number = Math.random): () => string {
  const prefix = Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
