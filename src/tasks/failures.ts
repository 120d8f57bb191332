/**
 * What a failed statement means for the requests behind it. Decided by SQLSTATE and by the
 * driver's codes alone: messages and details carry values.
 */
import type { ProblemCode } from '../contract/problems.ts';
import {
  connectionLossOf,
  errorCode,
  hasEndedSession,
  isRefusal,
  isWireError,
  type ServerError,
} from '../database/connection-lost.ts';
import { type Course, courseOf, mayBeOneRow } from './sqlstates.ts';

export interface Failure {
  readonly code: ProblemCode;
  /** For the log: the code, and which rule or function reported it; never a value. */
  readonly cause: string;
  /** `lost`: the connection is gone. `bug`: ours or the driver's, so what the server did is not known. */
  readonly course: Course | 'lost' | 'bug';
  /** One row may be to blame: worth running the rows in halves. Nothing was written. */
  readonly perRow: boolean;
}

export function describeFailure(error: unknown, isRead: boolean): Failure {
  const code = errorCode(error);
  // Node gives codes to its own, too.
  if (code === undefined || error instanceof TypeError || error instanceof RangeError) {
    return { code: 'internal', cause: nameBug(error), course: 'bug', perRow: false };
  }
  const loss = connectionLossOf(error) ?? (mayHaveEnded(error) ? 'unknown' : undefined);
  if (loss !== undefined) {
    const isUnknown = loss === 'unknown' && !isRead;
    return {
      code: isUnknown ? 'outcome_unknown' : 'unavailable',
      cause: code,
      course: 'lost',
      perRow: false,
    };
  }
  // From here on the server itself reported the error, so the statement was rolled back.
  const reported = reportedBy(error, code);
  const course = courseOf(reported);
  return {
    code: codeOf(course, reported, isRead),
    cause: causeOf(reported),
    course,
    perRow: mayBeOneRow(course, reported),
  };
}

/** A code of the system that no list has: whatever it was, the statement was on its way. */
function mayHaveEnded(error: unknown): boolean {
  return hasEndedSession(error) || !(isWireError(error) || isRefusal(error));
}

function codeOf(course: Course, { routine, hasContext }: Reported, isRead: boolean): ProblemCode {
  switch (course) {
    case 'again':
    case 'late':
    case 'unavailable':
      return 'unavailable';
    case 'rejected':
      if (!isRead) return 'rejected';
      // A policy that fails is its author's; a value that a statement does not take is our bug.
      return hasContext || routine.startsWith('exec_stmt_') ? 'unavailable' : 'internal';
    case 'internal':
      return 'internal';
  }
}

type Reported = Pick<ServerError, 'code' | 'routine' | 'constraint' | 'hasContext' | 'isRunning'>;

/** Where the server refused the connection, the driver has read its error, and knows the code alone. */
function reportedBy(error: unknown, code: string): Reported {
  const nothing = { routine: '', constraint: '', hasContext: false, isRunning: true };
  return isWireError(error) ? error : { ...nothing, code };
}

/** Names of the schema and of the server's source: who reads the log needs them, a client does not. */
function causeOf({ code, routine, constraint }: Reported): string {
  if (constraint !== '') return `${code} ${constraint}`;
  return routine === '' ? code : `${code} ${routine}`;
}

/** What the server sent is no answer to what was asked: a bug, or a server that lies. */
export function impossibleRows(what: string): Error {
  return Object.assign(new Error(`impossible rows: ${what}`), { name: impossible });
}

const impossible = 'ImpossibleRows';

/** Its kind and where it came from; not its message, which may carry values. */
function nameBug(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === impossible) return error.message;
  const [, place] = /^ +at (.*)$/m.exec(error.stack ?? '') ?? [];
  return place === undefined ? error.name : `${error.name} at ${place.replace(/[^ (]*\//g, '')}`;
}
