/**
 * Sends raw bytes to a service and parses the responses: for requests that no HTTP client sends.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertBytesDescribed } from './described-bytes.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves when the bytes are sent. Does nothing if the connection is closed. */
  send(bytes: string | Uint8Array): Promise<void>;
  /**
   * Resolves at that many responses, at the end of the connection, or at the timeout. Rejects if a
   * response differs from the API description.
   */
  answers(count: number, milliseconds?: number): Promise<readonly RawAnswer[]>;
  /** Resolves true if the service closed the connection within the time. */
  ended(milliseconds: number): Promise<boolean>;
  /** Received bytes that are no complete response. */
  rest(): string;
  /** All received bytes. */
  received(): string;
  close(): void;
}

const pollMs = 2;

/**
 * Text is sent as Latin-1: one character, one byte.
 * @param heads the indexes of responses to HEAD, which cannot be recognised otherwise; `null`:
 * unknown, so responses are not checked against the description.
 */
export async function openRaw(
  port: number,
  heads: ReadonlySet<number> | null = new Set(),
): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = Buffer.alloc(0);
  let isOver = false;
  let everything = '';
  let sent = '';
  const found: RawAnswer[] = [];
  socket.on('data', (bytes) => {
    everything += bytes.toString('latin1');
    received = Buffer.concat([received, bytes]);
    for (;;) {
      const answer = parseAnswer(received, heads?.has(found.length) === true);
      if (answer === undefined) return;
      found.push(answer.answer);
      received = received.subarray(answer.bytes);
    }
  });
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      isOver = true;
    });
  }
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });

  async function until(holds: () => boolean, milliseconds: number): Promise<void> {
    const giveUp = performance.now() + milliseconds;
    while (!holds() && performance.now() < giveUp) await sleep(pollMs);
  }

  return {
    socket,
    send: (bytes) =>
      new Promise((resolve) => {
        if (isOver || socket.destroyed) return resolve();
        sent += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
        socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () =>
          resolve(),
        );
      }),
    async answers(count, milliseconds = 5000) {
      await until(() => found.length >= count || isOver, milliseconds);
      if (heads !== null) assertBytesDescribed(sent, found);
      return found;
    },
    async ended(milliseconds) {
      await until(() => isOver, milliseconds);
      return isOver;
    },
    rest: () => received.toString('latin1'),
    received: () => everything,
    close: () => socket.destroy(),
  };
}

export function parseAnswer(
  bytes: Buffer,
  isHead: boolean,
): { answer: RawAnswer; bytes: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine!)?.[1]);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const hasBody = !isHead && status !== 204 && status !== 304;
  const length = hasBody ? Number(headers.get('content-length') ?? 0) : 0;
  const total = end + 4 + length;
  if (bytes.length < total) return undefined;
  return {
    answer: { status, headers, body: bytes.toString('utf8', end + 4, total) },
    bytes: total,
  };
}
