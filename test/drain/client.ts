/** A client over a raw keep-alive socket that records what it sent and received, with times. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertBytesDescribed } from '../support/described-bytes.ts';
import { parseAnswer } from '../support/raw-socket.ts';

export type Habit =
  /** One request after the other on one connection. */
  | 'busy'
  /** As busy, but reads. */
  | 'reader'
  /** A new connection for each request. */
  | 'fresh'
  /** Sends half of the body later. */
  | 'slow'
  /** Pauses are sometimes longer than the service's keep-alive timeout. */
  | 'idle';

/** A request of which at least one byte was sent. Times are milliseconds since 1970. */
export interface Attempt {
  readonly habit: Habit;
  /** The title that it creates; `undefined`: a read. */
  readonly title: string | undefined;
  readonly connectedAt: number;
  /** A response came on this connection before, so the service had accepted it. */
  readonly isConnectionUsed: boolean;
  readonly writtenAt: number;
  readonly endedAt: number;
  /** 0: the connection ended before the response was complete. */
  readonly status: number;
  readonly announcedClose: boolean;
  /** The received bytes of the response. */
  readonly bytes: number;
}

export interface ClientOptions {
  readonly port: number;
  readonly habit: Habit;
  /** The prefix of every title. */
  readonly name: string;
  /** True once the service has been told to stop: then a refused connection ends the client. */
  readonly isStopping: () => boolean;
  readonly onAttempt: (attempt: Attempt) => void;
}

const pauseMaxMs = 500;
const answerTimeoutMs = 20_000;

/** Resolves when the service refuses connections. Rejects when it does so too early. */
export async function runClient(options: ClientOptions): Promise<void> {
  let count = 0;
  for (;;) {
    const wire = await open(options.port);
    if (wire === undefined) {
      if (options.isStopping()) return;
      throw new Error(`${options.name}: a connection was refused before the service was to stop`);
    }
    let used = false;
    let goesOn = true;
    while (goesOn) {
      if (options.habit === 'idle') await sleep(Math.random() * pauseMaxMs);
      if (wire.isOver()) break;
      const title = options.habit === 'reader' ? undefined : `${options.name} ${count++}`;
      const attempt = await ask(wire, options.habit, title, used);
      if (attempt !== undefined) options.onAttempt(attempt);
      used = true;
      goesOn =
        attempt !== undefined &&
        attempt.status !== 0 &&
        !attempt.announcedClose &&
        options.habit !== 'fresh';
    }
    wire.socket.destroy();
  }
}

/** The clock of the service's log, with a higher resolution. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

interface Wire {
  readonly socket: Socket;
  readonly connectedAt: number;
  isOver(): boolean;
  /** Resolves with the next complete response, or with what came before the connection ended. */
  answer(): Promise<{ readonly text: string; readonly isWhole: boolean }>;
}

function open(port: number): Promise<Wire | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    let over = false;
    let notify = (): void => undefined;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      notify();
    });
    socket.on('end', end);
    socket.on('close', () => {
      end();
      resolve(undefined);
    });
    socket.on('connect', () => {
      resolve({ socket, connectedAt: clock(), isOver: () => over, answer });
    });

    function end(): void {
      over = true;
      notify();
    }

    function answer(): Promise<{ text: string; isWhole: boolean }> {
      return new Promise((done, reject) => {
        const timer = setTimeout(() => reject(new Error('an answer hangs')), answerTimeoutMs);
        notify = () => {
          const isWhole = wholeAnswer(text);
          if (!isWhole && !over) return;
          clearTimeout(timer);
          notify = () => undefined;
          const came = text;
          text = '';
          done({ text: came, isWhole });
        };
        notify();
      });
    }
  });
}

function wholeAnswer(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  return length !== undefined && text.length >= head + 4 + Number(length);
}

/** @returns `undefined` if the connection was closed before anything was sent. */
async function ask(
  wire: Wire,
  habit: Habit,
  title: string | undefined,
  isConnectionUsed: boolean,
): Promise<Attempt | undefined> {
  if (!wire.socket.writable) return undefined;
  const writtenAt = clock();
  let line = 'POST /api/tasks';
  if (title === undefined) {
    const path = Math.random() < 0.5 ? '/api/tasks?per_page=100' : '/api/tasks?status=pending';
    line = `GET ${path}`;
    wire.socket.write(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`);
  } else {
    const body = JSON.stringify({ title });
    const request = `${line} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const cut = habit === 'slow' ? request.length - Math.ceil(body.length / 2) : request.length;
    wire.socket.write(request.slice(0, cut));
    if (cut < request.length) {
      await sleep(Math.random() * pauseMaxMs);
      if (wire.socket.writable) wire.socket.write(request.slice(cut));
    }
  }
  const { text, isWhole } = await wire.answer();
  if (isWhole) {
    const { answer } = parseAnswer(Buffer.from(text), false)!;
    assertBytesDescribed(`${line} HTTP/1.1\r\n\r\n`, [answer]);
  }
  return {
    habit,
    title,
    connectedAt: wire.connectedAt,
    isConnectionUsed,
    writtenAt,
    endedAt: clock(),
    status: isWhole ? Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)) : 0,
    announcedClose: /\r\nconnection: close\r\n/i.test(text),
    bytes: text.length,
  };
}
