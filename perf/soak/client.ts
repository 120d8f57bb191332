/** A client of the soak: mixed requests on sequential connections, some of them aborted. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createResponseReader } from '../load/response-reader.ts';
import type { Random } from '../seed/random.ts';

export interface SoakCounts {
  readonly statuses: Map<number, number>;
  aborts: number;
}

export interface SoakClientOptions {
  readonly port: number;
  readonly random: Random;
  /** Existing ids, shared by all clients. */
  readonly ids: number[];
  readonly counts: SoakCounts;
  readonly isOver: () => boolean;
}

/** Enough tasks for several pages; creates and removals keep the number. */
const tasksWanted = 5000;
const thinkMs = 8;
/** One in this many requests is aborted, before or after it is sent. */
const abortEvery = 40;
const answerMaxMs = 15_000;

/** Rejects when a response is not HTTP or does not arrive. */
export async function runSoakClient(options: SoakClientOptions): Promise<void> {
  const { random, counts } = options;
  let socket: Socket | undefined;
  while (!options.isOver()) {
    socket ??= await open(options.port);
    const request = nextRequest(options);
    if (random.integer(1, abortEvery) === 1) {
      const bytes = Buffer.from(request);
      socket.write(bytes.subarray(0, random.integer(1, bytes.length)));
      await sleep(random.integer(0, 3));
      socket.destroy();
      socket = undefined;
      counts.aborts++;
    } else {
      const { status, body } = await ask(socket, request);
      counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
      if (status === 201) options.ids.push(idOf(body));
    }
    await sleep(random.integer(0, 2 * thinkMs));
  }
  socket?.destroy();
}

function nextRequest({ random, ids }: SoakClientOptions): string {
  const roll = random.integer(1, 100);
  const id = ids[random.integer(0, Math.max(0, ids.length - 1))] ?? 1;
  if (roll <= 40) return get(`/api/tasks/${id}`);
  if (roll <= 60) return get(`/api/tasks?page=${random.integer(1, 50)}&per_page=20`);
  if (roll <= 68) return get(`/api/tasks?status=pending&sort=-updatedAt`);
  if (roll <= 72) return get(`/api/tasks?filter=title:soak+${random.integer(1, 10_000)}`);
  if (roll <= 74) return get(`/api/tasks?filter=nonsense%3E`);
  if (roll <= 76) return withBody('POST /api/tasks', '{"title":" "}');
  if (roll <= 86) return withBody(`PUT /api/tasks/${id}`, '{"status":"done"}', 'If-Match: *\r\n');
  const surplus = ids.length > tasksWanted;
  if (roll <= (surplus ? 97 : 88) && ids.length > 0) {
    return `DELETE /api/tasks/${ids.shift()} HTTP/1.1\r\nHost: soak\r\n\r\n`;
  }
  const title = `soak ${random.integer(1, 10_000)}`;
  return withBody(
    'POST /api/tasks',
    JSON.stringify({ title, description: 'x'.repeat(random.integer(0, 500)) }),
    roll > 97 ? `Idempotency-Key: soak-${random.integer(1, 2 ** 30)}\r\n` : '',
  );
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: soak\r\n\r\n`;
}

function withBody(start: string, body: string, headers = ''): string {
  return `${start} HTTP/1.1\r\nHost: soak\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

function idOf(body: Buffer): number {
  return (JSON.parse(body.toString()) as { data: { id: number } }).data.id;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

function ask(socket: Socket, request: string): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const reader = createResponseReader();
    reader.begin(true);
    const timer = setTimeout(() => settle(new Error(`no answer to ${request}`)), answerMaxMs);
    const onClose = (): void =>
      settle(new Error(`the connection ended without an answer to ${request}`));
    const onData = (chunk: Buffer): void => {
      try {
        if (reader.read(chunk)) settle();
      } catch (error) {
        settle(error as Error);
      }
    };
    function settle(error?: Error): void {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', onClose);
      if (error !== undefined) reject(error);
      else resolve({ status: reader.status(), body: reader.body() });
    }
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.write(request);
  });
}
