/**
 * Maps an error of PostgreSQL to the outcome of a write: for each class of the manual's Appendix A,
 * and for single codes that differ from their class. The server has rolled the statement back, so
 * nothing was written.
 */
import type { ServerError } from '../database/connection-lost.ts';

export type Course =
  /** A conflict of two transactions: a retry may succeed at once. */
  | 'again'
  /** A timeout: a lock or a slow trigger. One row may be the cause. */
  | 'late'
  /** A constraint, or a rule of the database's owner, rejects a row. */
  | 'rejected'
  /** Temporary, or an operator must act. */
  | 'unavailable'
  /** A bug: the statements of this service should not cause it. */
  | 'internal';

/** By the first two characters. Other classes are errors of a language or of this service. */
const courseOfClass: Readonly<Record<string, Course>> = {
  '08': 'unavailable', // a connection that a trigger opens, for example to a foreign server
  '0A': 'unavailable', // not supported: an INSTEAD rule, or a stale prepared plan
  '22': 'rejected', // values: a narrower column, a CHECK or a generated column that fails
  '23': 'rejected', // constraints
  '25': 'unavailable', // read-only, or another client's transaction
  '26': 'unavailable', // a prepared statement is gone, by DEALLOCATE or a pooler
  '27': 'rejected', // a trigger changes the row that is being written
  '28': 'unavailable', // the role is refused
  '3D': 'unavailable', // the database does not exist
  '3F': 'unavailable', // the schema does not exist
  '40': 'again', // serialisation and deadlock
  '44': 'rejected', // WITH CHECK OPTION
  '53': 'unavailable', // out of resources
  '54': 'rejected', // a program limit: a text too long for an index, endless triggers
  '55': 'unavailable', // an object is not in the required state
  '57': 'unavailable', // an operator intervened
  '58': 'unavailable', // an I/O error of the server
  '72': 'again', // snapshot too old
  F0: 'unavailable', // the server's configuration file
  HV: 'unavailable', // a foreign server
  P0: 'rejected', // RAISE and similar
};

const courseOfCode: Readonly<Record<string, Course>> = {
  '2200H': 'unavailable', // the sequence is exhausted
  '42501': 'unavailable', // a missing privilege
  // Tables, columns and functions of a schema during a restore or a change.
  '42P01': 'unavailable',
  '42P05': 'unavailable', // a prepared statement of that name exists
  '42703': 'unavailable',
  '42704': 'unavailable',
  '42883': 'unavailable',
  '42804': 'unavailable', // a stale prepared plan after ALTER TABLE
  '55P03': 'late',
  '57014': 'late',
  // A damaged page or index: an operator must act.
  XX001: 'unavailable',
  XX002: 'unavailable',
};

/** Routines of PL/pgSQL's RAISE and ASSERT: a function's author chose the SQLSTATE. */
const raised: ReadonlySet<string> = new Set(['exec_stmt_raise', 'exec_stmt_assert']);
/** Row-level security, and views with a check option. */
const checkRoutine = 'ExecWithCheckOptions';

type Reported = Pick<ServerError, 'code' | 'routine' | 'hasContext' | 'isRunning'>;

export function courseOf({ code, routine, hasContext, isRunning }: Reported): Course {
  const known = courseOfCode[code] ?? courseOfClass[code.slice(0, 2)];
  // A function may raise a serialisation failure to request a retry. Other codes mean "no".
  if (raised.has(routine)) return known === 'again' ? 'again' : 'rejected';
  if (code === '42501' && routine === checkRoutine) return 'rejected';
  // An error in this service's statement or parameters: no row had been read.
  if (known === 'rejected') return isRunning ? 'rejected' : 'internal';
  if (known !== undefined) return known;
  // With a context: the error arose in a function, which the statements themselves do not call.
  if (!isRunning || !hasContext) return 'internal';
  return code.startsWith('42') ? 'unavailable' : 'rejected';
}

/** Whether another row might have succeeded: then the rows are run in halves. */
export function mayBeOneRow(course: Course, { code, hasContext, isRunning }: Reported): boolean {
  // Parsing, planning and table locks affect all rows alike.
  if (!isRunning) return false;
  if (course !== 'unavailable') return true;
  // A full disk affects all rows; an object missing in a trigger may affect a few.
  return code.startsWith('XX') || (hasContext && !['53', '57', '58'].includes(code.slice(0, 2)));
}
