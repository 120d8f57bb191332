/**
 * A typed client in a few lines: the types are the description's, the rest is fetch. An answer is
 * told apart by its status; what its body is follows from that.
 */
import { type Operations, routes } from './api.ts';

export type Input<Id extends keyof Operations> = Operations[Id]['input'];
export type Answer<Id extends keyof Operations> = Operations[Id]['answer'];

export interface Client {
  /** Rejects when there is no answer, not when the answer is a problem. */
  call<Id extends keyof Operations>(id: Id, input: Input<Id>): Promise<Answer<Id>>;
}

interface AnyInput {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** @param address scheme, host, port and base path, such as `https://api.example/v1`. */
export function createClient(address: string): Client {
  return {
    async call<Id extends keyof Operations>(id: Id, input: Input<Id>): Promise<Answer<Id>> {
      const { method, path } = routes[id];
      const { path: places = {}, query = {}, headers = {}, body } = input as AnyInput;
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(String(places[name])),
      );
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) search.set(name, String(value));
      const response = await fetch(`${address}${filled}?${search}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? null : JSON.parse(text),
      } as Answer<Id>;
    },
  };
}
