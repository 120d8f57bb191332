/** One keep-alive connection that asks for lists and measures until the last byte is there. */
import { Agent, request } from 'node:http';

export interface ListAnswer {
  readonly path: string;
  readonly milliseconds: number;
  readonly status: number;
  readonly total: number | null;
  readonly totalExact: boolean;
  readonly totalPages: number;
  readonly nextCursor: string | null;
}

export interface Asker {
  ask(query: string): Promise<ListAnswer>;
}

interface Meta {
  readonly total: number;
  readonly total_pages: number;
  readonly total_exact?: false;
  readonly next_cursor?: string | null;
}

export function createAsker(url: string): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async function ask(query: string): Promise<ListAnswer> {
    const path = `/api/tasks?${query}`;
    let began = performance.now();
    // While another size was slow, the service has closed the connection.
    const { status, text } = await get(`${url}${path}`).catch(() => {
      began = performance.now();
      return get(`${url}${path}`);
    });
    const milliseconds = performance.now() - began;
    const { meta } = JSON.parse(text) as { meta: Meta | null };
    return {
      path,
      milliseconds,
      status,
      total: meta?.total ?? null,
      totalExact: meta?.total_exact !== false,
      totalPages: meta?.total_pages ?? 0,
      nextCursor: meta?.next_cursor ?? null,
    };
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
