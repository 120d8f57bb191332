/** One keep-alive connection of a client; reconnects after a failure. */
import { Agent, request } from 'node:http';
import { assertDescribed } from '../support/described.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface HttpSession {
  /** `undefined`: the connection broke, so the outcome is unknown. */
  ask(method: string, path: string, body?: object): Promise<HttpAnswer | undefined>;
  close(): void;
}

const timeoutMs = 15_000;

export function openSession(port: number): HttpSession {
  let agent = new Agent({ keepAlive: true, maxSockets: 1 });

  function ask(method: string, path: string, body?: object): Promise<HttpAnswer | undefined> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers =
      bytes === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': bytes.length };
    return new Promise((resolve, reject) => {
      const lost = (): void => {
        agent.destroy();
        agent = new Agent({ keepAlive: true, maxSockets: 1 });
        resolve(undefined);
      };
      const outgoing = request(
        { agent, port, host: '127.0.0.1', method, path, headers, timeout: timeoutMs },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', lost);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const status = incoming.statusCode!;
            try {
              const content: unknown = text === '' ? null : JSON.parse(text);
              assertDescribed(method, path, {
                status,
                headers: incoming.headers,
                text,
                body: content,
              });
              resolve({ status, text });
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', lost);
      outgoing.end(bytes);
    });
  }

  return { ask, close: () => agent.destroy() };
}
