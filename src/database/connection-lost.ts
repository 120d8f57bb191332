/** Classifies errors (SQLSTATE or driver code) that make a connection unusable. */
import type { ServerError } from './pipeline/server-error.ts';

export type { ServerError };

/** The client lost its connection earlier and opens no other one. */
export const spentCode = 'CLIENT_SPENT';

/** The connection was never established, so the statement cannot have run. */
const notSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
  'TLS_REFUSED', // the server has no TLS
  '57P03', // the server starts up or shuts down
]);

/** The server refused the connection. Statements never fail with these codes. */
const refused: ReadonlySet<string> = new Set([
  ...notSent,
  '28000', // the role is refused
  '28P01',
  '3D000', // the database does not exist
  '53300', // too many connections
]);

/** The connection broke with the statement in flight: the statement may have been committed. */
const lost: ReadonlySet<string> = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'UNREADABLE_TIME',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  '57P01', // an administrator ended the session
  '57P02', // another backend crashed
]);

/** All loss codes except the SQLSTATEs of class 08. */
export const lossCodes: readonly string[] = [...new Set([spentCode, ...refused, ...lost])];

export type Loss =
  /** The statement cannot have run. */
  | 'not-sent'
  /** The statement may have been committed. */
  | 'unknown';

/** The session is in a failed transaction of its previous user: no statement runs in it. */
const failedBlock = '25P02';

/** @returns `undefined` for an error of the statement itself: the session is intact. */
export function connectionLossOf(error: unknown): Loss | undefined {
  const code = errorCode(error);
  if (code === undefined) return undefined;
  if (code === failedBlock && !isOfFunction(error)) return 'not-sent';
  // A trigger may raise any SQLSTATE, even that of a lost connection.
  if (severityOf(error) === 'ERROR') return undefined;
  if (code === spentCode || notSent.has(code)) return 'not-sent';
  return lost.has(code) || code.startsWith('08') ? 'unknown' : undefined;
}

/**
 * The session or its server is read-only. A new session may not be: the role's default may have
 * changed, or the host name may lead to another server now. The same SQLSTATE from a trigger does
 * not count.
 */
export function isReadOnly(error: unknown): boolean {
  return isWireError(error) && error.code === '25006' && error.routine.startsWith('Prevent');
}

/** The connection was never established, so statements that waited for it were not sent. */
export function isRefusal(error: unknown): boolean {
  return refused.has(errorCode(error) ?? '');
}

/**
 * The server ended the session with this error. The transaction before it may have been committed.
 */
export function hasEndedSession(error: unknown): boolean {
  return ['FATAL', 'PANIC'].includes(severityOf(error) ?? '') && !isRefusal(error);
}

/**
 * The database cannot be reached. Also looks into `cause`, where session.ts puts the original
 * error.
 */
export function isOutOfReach(error: unknown): boolean {
  if (connectionLossOf(error) !== undefined || isRefusal(error)) return true;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause !== undefined && isOutOfReach(cause);
}

/**
 * A prepared statement no longer fits its tables, is missing, or exists already. It did not run.
 */
export function isStalePlan(error: unknown): boolean {
  return (
    ['0A000', '26000', '42804', '42P05'].includes(errorCode(error) ?? '') && !isOfFunction(error)
  );
}

/** Raised inside a function, most often a trigger's, whose author may choose any SQLSTATE. */
function isOfFunction(error: unknown): boolean {
  return isWireError(error) && error.hasContext;
}

/** This client closed the connection: the server was silent, or broke the protocol. */
export function outOfStepError(): Error {
  return Object.assign(new Error('the connection was abandoned'), {
    code: 'CONNECTION_DESTROYED',
  });
}

/** A timestamp is not in the session's format, or the column has another type. */
export function unreadableTimeError(): Error {
  return Object.assign(new Error('a time in an unknown format'), {
    code: 'UNREADABLE_TIME',
  });
}

/** @param cause the SQLSTATE with which the server ended the session. */
export function closedError(cause?: string): Error {
  const reason = cause === undefined ? '' : ` (${cause})`;
  return Object.assign(new Error(`the server closed the connection${reason}`), {
    code: 'CONNECTION_CLOSED',
  });
}

/** @param cause the error that ended the connection before anything was sent on it. */
export function spentError(cause?: unknown): Error {
  return Object.assign(new Error('the connection is gone', { cause }), { code: spentCode });
}

/**
 * An error that the pipeline parsed from the wire, with all fields that it keeps. Errors of the
 * driver have other fields.
 */
export function isWireError(error: unknown): error is ServerError {
  return error instanceof Error && 'isRunning' in error;
}

/** The severity that the server reported; `undefined`: not an error of the server. */
function severityOf(error: unknown): string | undefined {
  const severity: unknown =
    error instanceof Error ? (error as { severity?: unknown }).severity : undefined;
  return typeof severity === 'string' ? severity : undefined;
}

/** The SQLSTATE or the driver's code. */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * The database is down, starting, stopping, failing over, or out of resources: a retry may succeed.
 * A refused password or a faulty migration does not count.
 */
export function isAway(error: unknown): boolean {
  if (connectionLossOf(error) !== undefined) return true;
  const code = errorCode(error);
  if (code === undefined) return false;
  // Resources (53), operator intervention (57), a standby (25006), a lock (55P03).
  return code.startsWith('53') || code.startsWith('57') || ['25006', '55P03'].includes(code);
}
