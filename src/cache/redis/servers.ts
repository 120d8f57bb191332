/** The interface of Redis to the cache: a single server or a cluster. */
import type { NamedTrouble } from './told.ts';

export interface Fill {
  readonly key: string;
  readonly value: Buffer;
  /** The TTL in milliseconds. */
  readonly keptMs: number;
}

/** Decodes a reply: a list, or `undefined` if there is none. @throws UntrustedError */
export type Decode<Value> = (place: number, stored: unknown) => Value | undefined;

export interface RedisServers {
  /** False: a lookup would find nothing. */
  isThere(): boolean;
  /** All servers are known and healthy. */
  isWhole(): boolean;
  /** Results in the order of the keys. Takes over the array `keys`. Never rejects. */
  lookup<Value>(keys: string[], decode: Decode<Value>): Promise<(Value | undefined)[]>;
  /** Never rejects. @returns the error of each refused list, `null` for a stored one. */
  store(fills: readonly Fill[]): Promise<readonly (Error | null)[]>;
  troubles(): readonly NamedTrouble[];
  /** Called twice a second. */
  look(): void;
  close(): void;
}

/** A key that is never written, for probes. */
export function probeKey(keyPrefix: string, number: number): string {
  return `${keyPrefix}tasks:probe:${number}`;
}
