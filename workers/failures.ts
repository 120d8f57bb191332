/**
 * What a failed statement means for the requests behind it. Decided by SQLSTATE and by the
 * driver's codes alone: messages and details carry values.
 */
import type { ProblemCode } from '../src/contract/problems.ts';
import { connectionLossOf, errorCode } from '../src/database/connection-lost.ts';

export interface Failure {
  readonly code: ProblemCode;
  /** For the log: the code, never a value. */
  readonly cause: string;
  /** One row may be to blame: worth running the rows one by one. Nothing was written. */
  readonly perRow: boolean;
  /** The connection is gone: a read is worth one more try. */
  readonly connectionLost: boolean;
}

export function describeFailure(error: unknown, isRead: boolean): Failure {
  const code = errorCode(error);
  const cause = code ?? (error instanceof Error ? error.name : 'unknown');
  if (code === undefined) return { code: 'internal', cause, perRow: true, connectionLost: false };
  const loss = connectionLossOf(error);
  if (loss !== undefined) {
    const unknown = loss === 'unknown' && !isRead;
    return {
      code: unknown ? 'outcome_unknown' : 'unavailable',
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

/** Resources, timeouts, a read-only server: the same request may succeed later. */
function isTransient(code: string): boolean {
  return (
    code.startsWith('53') || ['57014', '55P03', '25006', '28000', '28P01', '3D000'].includes(code)
  );
}
