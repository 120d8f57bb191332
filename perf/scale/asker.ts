/** One keep-alive connection that requests lists and measures until the last byte. */
import { Agent, request } from 'node:http';

export interface ListAnswer {
  readonly path: string;
  readonly milliseconds: number;
  readonly status: number;
  readonly total: number | null;
  readonly totalExact: boolean;
  /** The page has as many tasks as its total implies; true if nothing is implied. */
  readonly complete: boolean;
  readonly totalPages: number;
  readonly nextCursor: string | null;
}

export interface Asker {
  ask(query: string): Promise<ListAnswer>;
}

/** Instead of a status: the connection broke. Other queries may still succeed. */
const noAnswer = 0;
const nothing: Answer = { data: null, meta: null };

interface Answer {
  readonly data: readonly unknown[] | null;
  readonly meta: Meta | null;
}

interface Meta {
  /** `null` for a page by cursor. */
  readonly page: number | null;
  readonly per_page: number;
  readonly total: number;
  readonly total_pages: number;
  readonly total_exact?: false;
  readonly next_cursor?: string | null;
}

/** The service closes a connection after ten idle seconds; a query at that moment would fail. */
const idleMaxMs = 4000;

export function createAsker(url: string): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let idleSince = performance.now();

  /** While other sizes take long, this connection idles: it reconnects. */
  async function ask(query: string): Promise<ListAnswer> {
    if (performance.now() - idleSince > idleMaxMs) await reconnect();
    const path = `/api/tasks?${query}`;
    const began = performance.now();
    const { status, text } = await get(`${url}${path}`).catch(withoutAnswer);
    const milliseconds = performance.now() - began;
    idleSince = performance.now();
    const { data, meta } = text.startsWith('{') ? (JSON.parse(text) as Answer) : nothing;
    return {
      path,
      milliseconds,
      status,
      total: meta?.total ?? null,
      totalExact: meta?.total_exact !== false,
      complete: isComplete(data?.length ?? 0, meta),
      totalPages: meta?.total_pages ?? 0,
      nextCursor: meta?.next_cursor ?? null,
    };
  }

  async function reconnect(): Promise<void> {
    agent.destroy();
    await get(`${url}/livez`);
  }

  /** Rejects when the service is gone: later figures would be meaningless. */
  async function withoutAnswer(): Promise<{ status: number; text: string }> {
    await reconnect();
    return { status: noAnswer, text: '' };
  }

  function get(target: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(target, { agent }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode!, text: Buffer.concat(chunks).toString() }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  return { ask };
}

/** An empty page is fast: a wrong page must not look like a fast one. */
function isComplete(rows: number, meta: Meta | null): boolean {
  if (meta === null || meta.page === null || meta.total_exact === false) return true;
  const before = (meta.page - 1) * meta.per_page;
  return rows === Math.max(0, Math.min(meta.per_page, meta.total - before));
}
