/**
 * What becomes of a write when PostgreSQL reports an error: decided here, once for each class of the
 * manual's Appendix A, and for the single codes that differ from their class. Whatever the server
 * reported it has rolled back, so that in each case nothing was written.
 */
import type { ServerError } from '../database/connection-lost.ts';

export type Course =
  /** Two transactions stood in each other's way: the same statement may succeed at once. */
  | 'again'
  /** Something took too long: a lock that somebody holds, or a slow trigger. One row may be to blame. */
  | 'late'
  /** The database's own rules, or what its owner added to them, forbid a row. */
  | 'rejected'
  /** It passes by itself, or an operator has to mend it. */
  | 'unavailable'
  /** Nothing that we send should come to it. */
  | 'internal';

/** By the first two characters. What is not here is an error of a language or of our own. */
const courseOfClass: Readonly<Record<string, Course>> = {
  '08': 'unavailable', // a connection that a trigger makes: to a foreign server, for example
  '0A': 'unavailable', // not supported: a rule INSTEAD of ours, a kept plan that no longer fits
  '22': 'rejected', // values: a narrower column, a CHECK or a generated column that cannot be computed
  '23': 'rejected', // constraints
  '25': 'unavailable', // read-only, or a transaction that is not ours
  '26': 'unavailable', // a kept statement is gone, by DEALLOCATE or a pooler
  '27': 'rejected', // a trigger changes the row that the statement is at
  '28': 'unavailable', // who we are
  '3D': 'unavailable', // there is no such database
  '3F': 'unavailable', // there is no such schema
  '40': 'again', // serialisation and deadlock
  '44': 'rejected', // WITH CHECK OPTION
  '53': 'unavailable', // nothing left to give
  '54': 'rejected', // a limit of the program: a text that an index cannot hold, triggers without end
  '55': 'unavailable', // an object is not in the state that it takes
  '57': 'unavailable', // an operator
  '58': 'unavailable', // the server's own disk
  '72': 'again', // snapshot too old
  F0: 'unavailable', // the server's configuration file
  HV: 'unavailable', // a foreign server
  P0: 'rejected', // RAISE and its like
};

const courseOfCode: Readonly<Record<string, Course>> = {
  '2200H': 'unavailable', // the sequence has come to its end
  '42501': 'unavailable', // what we may
  // Tables, columns and functions of a schema that is being restored or altered.
  '42P01': 'unavailable',
  '42P05': 'unavailable', // a kept statement is there already
  '42703': 'unavailable',
  '42704': 'unavailable',
  '42883': 'unavailable',
  '42804': 'unavailable', // a kept plan and a table that was altered
  '55P03': 'late',
  '57014': 'late',
  // A page or an index that is damaged: an operator's.
  XX001: 'unavailable',
  XX002: 'unavailable',
};

/** What PL/pgSQL itself reports: the SQLSTATE is then whatever the author of a function chose. */
const raised: ReadonlySet<string> = new Set(['exec_stmt_raise', 'exec_stmt_assert']);
/** Row-level security, and views with a check. */
const checkRoutine = 'ExecWithCheckOptions';

type Reported = Pick<ServerError, 'code' | 'routine' | 'hasContext' | 'isRunning'>;

export function courseOf({ code, routine, hasContext, isRunning }: Reported): Course {
  const known = courseOfCode[code] ?? courseOfClass[code.slice(0, 2)];
  // A function may ask for another try, as the manual advises; any other code of its own is a no.
  if (raised.has(routine)) return known === 'again' ? 'again' : 'rejected';
  if (code === '42501' && routine === checkRoutine) return 'rejected';
  // Of our own text or parameters: no row had been looked at.
  if (known === 'rejected') return isRunning ? 'rejected' : 'internal';
  if (known !== undefined) return known;
  // Inside of something, which our statements are not: a function in any language that a trigger calls.
  if (!isRunning || !hasContext) return 'internal';
  return code.startsWith('42') ? 'unavailable' : 'rejected';
}

/** Another row might have passed: worth running them in halves. */
export function mayBeOneRow(course: Course, { code, hasContext, isRunning }: Reported): boolean {
  // Parsing and planning, and the locks on tables that both take, concern all rows alike.
  if (!isRunning) return false;
  if (course !== 'unavailable') return true;
  // A disk that is full is full for each; what is missing inside of a trigger may concern a few.
  return code.startsWith('XX') || (hasContext && !['53', '57', '58'].includes(code.slice(0, 2)));
}
