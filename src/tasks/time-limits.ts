/**
 * Time limits of write statements. One row of a batch may wait for a lock or have a slow trigger;
 * the others must still be written within their requests' timeout. So each first attempt gets a
 * part of the time and each retry a smaller one. A row that alone exceeds it gets a part of the
 * rest.
 */
import type { Call } from '../database/pipeline/transaction.ts';

export interface TimeLimits {
  readonly lockMs: number;
  readonly statementMs: number;
}

/** Shares of the request timeout. */
const shares = {
  first: { lock: 1 / 8, statement: 1 / 4 },
  /** A row that others wait for. */
  apart: { lock: 1 / 32, statement: 1 / 16 },
  alone: { lock: 1 / 4, statement: 1 / 3 },
} as const;

const setText = `
  SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`;

/** @param leftMs an upper bound, whatever the share. */
export function limitsOf(
  share: keyof typeof shares,
  timeoutMs: number,
  leftMs = timeoutMs,
): TimeLimits {
  const { lock, statement } = shares[share];
  // 0 would mean no limit.
  const limit = (part: number) => Math.max(1, Math.ceil(Math.min(part * timeoutMs, leftMs)));
  return { lockMs: limit(lock), statementMs: limit(statement) };
}

/** The session settings of a connection for first attempts. */
export function limitSettings(timeoutMs: number): Readonly<Record<string, string>> {
  const { lockMs, statementMs } = limitsOf('first', timeoutMs);
  return { lock_timeout: String(lockMs), statement_timeout: String(statementMs) };
}

/** Applies until the end of the transaction. */
export function setLimits({ lockMs, statementMs }: TimeLimits): Call {
  return { text: setText, parameters: [String(lockMs), String(statementMs)] };
}
