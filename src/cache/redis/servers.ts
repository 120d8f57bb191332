/** What the cache needs of Redis, whatever form it has. */
import type { NamedTrouble } from './told.ts';

export interface Fill {
  readonly key: string;
  readonly value: Buffer;
  /** How long Redis keeps it. */
  readonly keptMs: number;
}

/** What it makes of an answer: a list, `undefined` where there is none. @throws UntrustedError */
export type Decode<Value> = (place: number, stored: unknown) => Value | undefined;

export interface RedisServers {
  /** False: lookups would find nothing. */
  isThere(): boolean;
  /** All servers are known, and well. */
  isWhole(): boolean;
  /** In the order of the keys, which are its own from now on; never rejects. */
  lookup<Value>(keys: string[], decode: Decode<Value>): Promise<(Value | undefined)[]>;
  /** Never rejects. @returns what Redis refused, or `null` for what it took. */
  store(fills: readonly Fill[]): Promise<readonly (Error | null)[]>;
  troubles(): readonly NamedTrouble[];
  /** Called twice a second. */
  look(): void;
  close(): void;
}

/** Keys that nobody writes: what a probe asks for. */
export function probeKey(keyPrefix: string, number: number): string {
  return `${keyPrefix}tasks:probe:${number}`;
}
