/** What rows of the framing table are made of. */

export interface FramingCase {
  readonly name: string;
  /** Parts go out one after the other, with a pause between them. */
  readonly send: readonly string[];
  /** With the current build of uWebSockets.js. */
  readonly outcome: Outcome;
  /** With the build of 2023, where that differs. */
  readonly old?: Outcome | undefined;
}

export interface Outcome {
  /** Statuses, in order. */
  readonly answers: readonly number[];
  /** Places of answers to HEAD among them. */
  readonly heads?: readonly number[];
  /**
   * `open`: another request on the same connection is answered. `ends`: the service ends it.
   * `waits`: nothing comes; the service waits for more until the connection is idle for too long.
   */
  readonly afterwards: 'open' | 'ends' | 'waits';
  /** The last answer is a page of uWebSockets.js, without our headers. */
  readonly byParser?: boolean;
  /** How many tasks it makes; `perhaps`: at most one. */
  readonly creates?: number | 'perhaps';
  /** The client ends the connection: at once, or its sending half. */
  readonly hangUp?: 'reset' | 'half';
  /** What the last answer's X-Request-Id is; `made`: not what was sent. */
  readonly requestId?: string;
  /** Milliseconds between parts. */
  readonly pause?: number;
}

export const host = 'Host: localhost\r\n';
export const marker = '@title@';

/** A body that makes a task, with the marker in its title. */
export function json(more = ''): string {
  return `{"title":"${marker}"${more}}`;
}

export function post(
  headers: string,
  body = json(),
  length = `Content-Length: ${size(body)}\r\n`,
): string {
  return `POST /api/tasks HTTP/1.1\r\n${host}${length}${headers}\r\n${body}`;
}

export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\n${host}${headers}\r\n`;
}

/** The title takes the marker's place before it is sent, and is as long. */
export function size(body: string): number {
  return Buffer.byteLength(body, 'latin1');
}

/** What stands behind a request whose end is doubtful. It must never run. */
export const smuggled = post('');

export type Row = readonly [
  name: string,
  send: string | readonly string[],
  outcome: Outcome,
  old?: Outcome,
];

export const ok: Outcome = { answers: [200], afterwards: 'open' };
export const created: Outcome = { answers: [201], afterwards: 'open', creates: 1 };
export const waits: Outcome = { answers: [], afterwards: 'waits' };
export const ends: Outcome = { answers: [], afterwards: 'ends' };
export const refused = (status: number): Outcome => ({ answers: [status], afterwards: 'open' });
export const refusedForGood = (status: number): Outcome => ({
  answers: [status],
  afterwards: 'ends',
});

export function rows(group: string, list: readonly Row[]): FramingCase[] {
  return list.map(([name, send, outcome, old]) => ({
    name: `${group}: ${name}`,
    send: typeof send === 'string' ? [send] : send,
    outcome,
    old,
  }));
}

/** The parser refuses it, and closes. */
export const byParser = (status: 400 | 431 | 505): Outcome => ({
  answers: [status],
  afterwards: 'ends',
  byParser: true,
});
