/** Serves the pages on a separate port, in the primary, which serves no API requests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { operatorPolicy } from '../base/content-policies.ts';
import { isLoopback } from '../base/loopback.ts';
import { isDirect, type Visitor } from './access.ts';
import type { AdminAnswer, AdminPage } from './admin-page.ts';
import { authenticateHeader } from './basic-auth.ts';

export interface AdminServerOptions {
  /** 0: any free port, the same on each address. */
  readonly port: number;
  readonly addresses: readonly string[];
  readonly connectionsMax: number;
  readonly page: AdminPage;
  readonly isAllowed: (visitor: Visitor) => boolean;
  readonly onListening: (port: number) => void;
  /** Called once for each reason. The server retries by itself. */
  readonly onFailure: (error: NodeJS.ErrnoException, address: string) => void;
}

export interface AdminServer {
  close(): void;
}

const retryMs = 5000;
/** The most attempts to find a port that is free on each address. */
const choicesMax = 20;
/** Longer than the usual scrape interval. */
const keepAliveMs = 65_000;
const securityHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': operatorPolicy,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;
const plain = 'text/plain; charset=utf-8';

export function startAdminServer(options: AdminServerOptions): AdminServer {
  let lastFailure: string | undefined;
  let retry: NodeJS.Timeout | undefined;
  let choices = 0;
  const { addresses } = options;
  const connectionsMax = Math.ceil(options.connectionsMax / addresses.length);
  const servers = addresses.map((address, place) => {
    const server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
      void answer(request, response);
    });
    server.maxConnections = connectionsMax;
    server.on('listening', () => openNext(place + 1, (server.address() as AddressInfo).port));
    server.on('error', (error: NodeJS.ErrnoException) => {
      // The port that the system chose for the first address is in use on this one.
      if (options.port === 0 && place > 0 && !server.listening && ++choices < choicesMax) {
        stopListening();
        openNext(0, 0);
      } else tryLater(error, address);
    });
    return server;
  });
  openNext(0, options.port);

  /** One after the other: with port 0 the first address determines the port. */
  function openNext(place: number, port: number): void {
    const server = servers[place];
    if (server !== undefined) {
      server.listen(port, addresses[place]);
      return;
    }
    lastFailure = undefined;
    choices = 0;
    options.onListening(port);
  }

  function stopListening(): void {
    for (const server of servers) if (server.listening) server.close();
  }

  function tryLater(error: NodeJS.ErrnoException, address: string): void {
    if (error.code !== lastFailure) options.onFailure(error, address);
    lastFailure = error.code;
    // A listening socket with an error would fail again at once, for ever.
    stopListening();
    clearTimeout(retry);
    retry = setTimeout(() => openNext(0, options.port), retryMs);
    retry.unref();
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
      return send(response, method, refuse(405, { Allow: 'GET, HEAD, POST' }));
    }
    const target = URL.parse(request.url ?? '', 'http://localhost');
    if (target === null) return send(response, method, refuse(400));
    const path = target.pathname;
    if (!options.isAllowed(visitorOf(request, path))) {
      const [name, value] = authenticateHeader.split(': ') as [string, string];
      return send(response, method, refuse(401, { [name]: value }));
    }
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const accept = request.headers.accept ?? '';
    try {
      const answered = await options.page(
        { path, query: target.searchParams, accept },
        gone.signal,
      );
      send(response, method, answered);
    } catch {
      send(response, method, refuse(500));
    }
  }

  return {
    close() {
      clearTimeout(retry);
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function visitorOf({ headers, socket }: IncomingMessage, path: string): Visitor {
  return {
    path,
    authorization: headers.authorization ?? '',
    isHere:
      isLoopback(socket.remoteAddress ?? '') && isDirect((name) => String(headers[name] ?? '')),
  };
}

const reasons: Readonly<Record<number, string>> = {
  400: 'The address is not valid.',
  401: 'This page needs credentials.',
  405: 'This page can only be read.',
  500: 'This page failed.',
};

function refuse(status: number, headers: Readonly<Record<string, string>> = {}): AdminAnswer {
  return { status, contentType: plain, body: `${reasons[status]}\n`, headers };
}

function send(
  response: ServerResponse,
  method: string,
  { status, contentType, body, headers }: AdminAnswer,
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(method === 'HEAD' ? undefined : body);
}
