/**
 * Maps a failed statement to the answer of its requests. It reads only SQLSTATEs and the driver's
 * codes: messages and details carry values of clients.
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
  /** For the log: the code, and the rule or function that raised it; never a value. */
  readonly cause: string;
  /**
   * `lost`: the connection is gone. `bug`: in this service or the driver, so the outcome is
   * unknown.
   */
  readonly course: Course | 'lost' | 'bug';
  /** One row may be the cause: run the rows in halves. Nothing was written. */
  readonly perRow: boolean;
}

export function describeFailure(error: unknown, isRead: boolean): Failure {
  const code = errorCode(error);
  // Node sets codes on its own errors too.
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
  // From here on the server reported the error, so the statement was rolled back.
  const reported = reportedBy(error, code);
  const course = courseOf(reported);
  return {
    code: codeOf(course, reported, isRead),
    cause: causeOf(reported),
    course,
    perRow: mayBeOneRow(course, reported),
  };
}

/** An errno that no list has: the statement may have been sent. */
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
      // A failing policy is the owner's bug. A value that the statement does not take is this
      // service's.
      return hasContext || routine.startsWith('exec_stmt_') ? 'unavailable' : 'internal';
    case 'internal':
      return 'internal';
  }
}

type Reported = Pick<ServerError, 'code' | 'routine' | 'constraint' | 'hasContext' | 'isRunning'>;

/** When the server refuses the connection, the driver keeps only the code of the error. */
function reportedBy(error: unknown, code: string): Reported {
  const nothing = { routine: '', constraint: '', hasContext: false, isRunning: true };
  return isWireError(error) ? error : { ...nothing, code };
}

/** Names of schema objects and server routines: useful in the log, hidden from clients. */
function causeOf({ code, routine, constraint }: Reported): string {
  if (constraint !== '') return `${code} ${constraint}`;
  return routine === '' ? code : `${code} ${routine}`;
}

/** The server's rows do not match the statement: a bug, or a faulty server. */
export function impossibleRows(what: string): Error {
  return Object.assign(new Error(`impossible rows: ${what}`), { name: impossible });
}

const impossible = 'ImpossibleRows';

/** The error's type and place, not its message, which may carry values. */
function nameBug(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === impossible) return error.message;
  const [, place] = /^ +at (.*)$/m.exec(error.stack ?? '') ?? [];
  return place === undefined ? error.name : `${error.name} at ${place.replace(/[^ (]*\//g, '')}`;
}
