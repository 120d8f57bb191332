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
  const cause = code ?? nameBug(error);
  // A bug of ours or of the driver: what the server did is not known, so nothing runs again.
  if (code === undefined) return { code: 'internal', cause, perRow: false, connectionLost: false };
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

/** Its kind and where it came from; not its message, which may carry values. */
function nameBug(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const [, place] = /^ +at (.*)$/m.exec(error.stack ?? '') ?? [];
  return place === undefined ? error.name : `${error.name} at ${place.replace(/[^ (]*\//g, '')}`;
}

/** Class 53: nothing left to give; 58: the server's own disk; 57: an operator, or a timeout. */
const transientClasses = ['53', '57', '58'];

/** The same request may succeed later, and would fail row by row just as well. */
const transient: ReadonlySet<string> = new Set([
  '25006', // read-only: a standby, or somebody's wish
  '55P03', // somebody holds a lock
  '55006', // the database is being dropped or copied
  // Who we are, where we are and what we may: until an operator has mended it.
  '28000',
  '28P01',
  '3D000',
  '42501',
  // The tables, columns and functions of a schema that is being restored or altered.
  '3F000',
  '42P01',
  '42703',
  '42704',
  '42883',
  '0A000', // a kept plan no longer fits its table
  '26000', // a kept statement is gone, by DEALLOCATE or a pooler
]);

function isTransient(code: string): boolean {
  return transientClasses.includes(code.slice(0, 2)) || transient.has(code);
}
