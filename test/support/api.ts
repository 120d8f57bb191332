/** A client of the service that checks the rules for every response. */
import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Fault } from '../../src/contract/problems.ts';
import type { Task } from '../../src/contract/task.ts';
import { assertDescribed } from './described.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed JSON, not validated: an assertion on a missing field fails. */
  readonly body: Body;
}

export interface Body {
  readonly status: string | number;
  readonly message: string;
  /** A task, or a list of tasks. */
  readonly data: Task & readonly Task[];
  readonly meta: {
    readonly page: number | null;
    readonly per_page: number;
    readonly total: number;
    readonly total_pages: number;
    readonly total_exact?: false;
    readonly next_cursor?: string | null;
  };
  readonly errors: readonly Fault[];
  readonly type?: string;
  readonly title?: string;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; strings and bytes as they are. */
  readonly body?: unknown;
}

export interface Api {
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  get(path: string, options?: RequestOptions): Promise<Answer>;
  post(body: unknown, options?: RequestOptions): Promise<Answer>;
  put(id: number | string, body: unknown, options?: RequestOptions): Promise<Answer>;
  remove(id: number | string): Promise<Answer>;
  /** Creates a task and returns its id. */
  create(fields?: Readonly<Record<string, unknown>>): Promise<number>;
  close(): void;
}

/** @param connections the most connections at once. */
export function createApi(port: number, connections = 8): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  async function request(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer> {
    const answer = await send(agent, port, method, path, options);
    checkAnswer(method, answer);
    assertDescribed(method, path, answer);
    return answer;
  }

  const api: Api = {
    request,
    get: (path, options) => request('GET', path, options),
    post: (body, options) => request('POST', '/api/tasks', { ...options, body }),
    put: (id, body, options) => request('PUT', `/api/tasks/${id}`, { ...options, body }),
    remove: (id) => request('DELETE', `/api/tasks/${id}`),
    async create(fields = {}) {
      const answer = await api.post({ title: 'a task', ...fields });
      assert.equal(answer.status, 201, answer.text);
      return answer.body.data.id;
    },
    close: () => agent.destroy(),
  };
  return api;
}

/** The codes and fields of an error response: `invalid title`. */
export function faultsOf(answer: Answer): string[] {
  return answer.body.errors
    .map(({ code, field }) => (field === null ? code : `${code} ${field}`))
    .sort();
}

/** Checks the rules for every response. */
export function checkAnswer(method: string, answer: Answer): void {
  const { status, headers, text, body } = answer;
  const where = `${method} ${status} ${text.slice(0, 300)}`;
  assert.notEqual(status, 500, where);
  assert.equal(headers['x-content-type-options'], 'nosniff', where);
  const policy = "default-src 'none'; frame-ancestors 'none'";
  assert.equal(headers['content-security-policy'], policy, where);
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin', where);
  assert.match(headers['x-request-id'] as string, /^[A-Za-z0-9._-]{1,64}$/, where);
  const reads = (method === 'GET' || method === 'HEAD') && status < 400;
  assert.equal(headers['cache-control'], reads ? 'no-cache' : 'no-store', where);
  if (status === 503) assert.match(headers['retry-after'] as string, /^\d+$/, where);
  if (status === 405) assert.ok(headers.allow, where);
  if (status === 204 || status === 304) {
    assert.equal(text, '');
    assert.equal(headers['content-length'], undefined);
    return;
  }
  if (method === 'HEAD') {
    assert.equal(text, '');
    assert.ok(Number(headers['content-length']) > 0);
    return;
  }
  assert.equal(Number(headers['content-length']), Buffer.byteLength(text), where);
  if (headers['content-type']?.startsWith('application/problem+json')) {
    assert.equal(body.status, status, where);
    assert.deepEqual([body.type, typeof body.title], ['about:blank', 'string'], where);
    return;
  }
  assert.equal(headers['content-type'], 'application/json; charset=utf-8', where);
  assert.deepEqual(Object.keys(body), ['data', 'meta', 'message', 'errors', 'status'], where);
  assert.equal(body.status, status < 400 ? 'ok' : 'fail', where);
  assert.equal(body.errors.length > 0, status >= 400, where);
  if (status >= 400) assert.deepEqual([body.data, body.meta], [null, null], where);
  for (const fault of body.errors) {
    assert.deepEqual(Object.keys(fault), ['code', 'field', 'message'], where);
  }
}

function send(
  agent: Agent,
  port: number,
  method: string,
  path: string,
  { headers = {}, body }: RequestOptions,
): Promise<Answer> {
  const bytes = bytesOf(body);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        agent,
        port,
        host: '127.0.0.1',
        method,
        path,
        headers: {
          ...(bytes === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode!,
            headers: incoming.headers,
            text,
            body: text === '' ? null : JSON.parse(text),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

function bytesOf(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
