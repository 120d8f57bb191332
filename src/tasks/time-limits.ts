/**
 * How long a statement of a write may take. One row of a batch may wait for a lock, or have a trigger
 * that takes long: the others must be written within their requests' time. So each first attempt gets a
 * part of the time, and what follows a shorter one; who was late alone gets a part of what is left.
 */
import type { Call } from '../database/pipeline/transaction.ts';

export interface TimeLimits {
  readonly lockMs: number;
  readonly statementMs: number;
}

/** Of the time of a request. */
const shares = {
  first: { lock: 1 / 8, statement: 1 / 4 },
  /** Of a row among others that wait for it. */
  apart: { lock: 1 / 32, statement: 1 / 16 },
  alone: { lock: 1 / 4, statement: 1 / 3 },
} as const;

const setText = `
  SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`;

/** @param leftMs bounds it, whatever the share. */
export function limitsOf(
  share: keyof typeof shares,
  timeoutMs: number,
  leftMs = timeoutMs,
): TimeLimits {
  const { lock, statement } = shares[share];
  // 0 would be no limit at all.
  const limit = (part: number) => Math.max(1, Math.ceil(Math.min(part * timeoutMs, leftMs)));
  return { lockMs: limit(lock), statementMs: limit(statement) };
}

/** For a connection on which first attempts are made. */
export function limitSettings(timeoutMs: number): Readonly<Record<string, string>> {
  const { lockMs, statementMs } = limitsOf('first', timeoutMs);
  return { lock_timeout: String(lockMs), statement_timeout: String(statementMs) };
}

/** Until the end of the transaction that it stands in front of. */
export function setLimits({ lockMs, statementMs }: TimeLimits): Call {
  return { text: setText, parameters: [String(lockMs), String(statementMs)] };
}
