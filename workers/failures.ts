/**
 * What a failed statement means for the requests behind it. Decided by SQLSTATE and by the
 * driver's codes alone: messages and details carry values.
 */
import type { ProblemCode } from '../src/contract/problems.ts';

export interface Failure {
  readonly code: ProblemCode;
  /** For the log: the code, never a value. */
  readonly cause: string;
  /** One row may be to blame: worth running the rows one by one. Nothing was written. */
  readonly perRow: boolean;
  /** The connection is gone: a read is worth one more try. */
  readonly connectionLost: boolean;
}

/** The connection was never made, so the statement cannot have run. */
const notSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
  '57P03', // the server starts up or shuts down
]);

/** The connection broke with the statement on it: it may have been committed, or not. */
const lost: ReadonlySet<string> = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01', // an administrator ended the session
  '57P02', // another backend crashed
]);

export function describeFailure(error: unknown, isRead: boolean): Failure {
  const code = codeOf(error);
  const cause = code ?? (error instanceof Error ? error.name : 'unknown');
  if (code === undefined) return { code: 'internal', cause, perRow: true, connectionLost: false };
  if (notSent.has(code)) return { code: 'unavailable', cause, perRow: false, connectionLost: true };
  if (lost.has(code) || code.startsWith('08')) {
    return {
      code: isRead ? 'unavailable' : 'outcome_unknown',
      cause,
      perRow: false,
      connectionLost: true,
    };
  }
  // From here on the server itself reported the error, so the statement was rolled back.
  if (isTransient(code))
    return { code: 'unavailable', cause, perRow: false, connectionLost: false };
  return { code: 'internal', cause, perRow: true, connectionLost: false };
}

/** The session that the statement was on, or was meant for, is gone. */
export function isConnectionLost(error: unknown): boolean {
  return describeFailure(error, true).connectionLost;
}

/** Resources, timeouts, a read-only server: the same request may succeed later. */
function isTransient(code: string): boolean {
  return (
    code.startsWith('53') || ['57014', '55P03', '25006', '28000', '28P01', '3D000'].includes(code)
  );
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
