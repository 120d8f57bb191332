/** Bytes as they are to a service, and what came back: for what no HTTP client would send. */
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
  /** Resolves once the bytes are on their way. Does nothing when the connection is gone. */
  send(bytes: string | Uint8Array): Promise<void>;
  /**
   * Resolves when there are so many answers, the connection ended, or it took too long.
   * Rejects when one is not as the description of the API has it.
   */
  answers(count: number, milliseconds?: number): Promise<readonly RawAnswer[]>;
  /** Resolves true when the service ended the connection within the time. */
  ended(milliseconds: number): Promise<boolean>;
  /** What came and is no whole answer. */
  rest(): string;
  /** Everything that came. */
  received(): string;
  close(): void;
}

const pollMs = 2;

/**
 * A text is sent as Latin-1: one character, one byte.
 * @param heads places of answers to HEAD, which are told apart by it; `null`: nobody knows them, so
 *   answers cannot be held against the description.
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
