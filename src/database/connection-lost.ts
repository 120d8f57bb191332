/** Errors, by SQLSTATE and by the driver's codes, after which a connection is not to be used. */
import type { ServerError } from './pipeline/server-error.ts';

export type { ServerError };

/** The client has lost its connection before and makes no other one. */
export const spentCode = 'CLIENT_SPENT';

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
  'TLS_REFUSED', // the server speaks no TLS
  '57P03', // the server starts up or shuts down
]);

/** The server refused the connection itself; statements never end with these. */
const refused: ReadonlySet<string> = new Set([
  ...notSent,
  '28000', // who we are
  '28P01',
  '3D000', // there is no such database
  '53300', // too many connections
]);

/** The connection broke with the statement on it: it may have been committed, or not. */
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

/** All of them that have a code of their own; SQLSTATEs of class 08 are others. */
export const lossCodes: readonly string[] = [...new Set([spentCode, ...refused, ...lost])];

export type Loss =
  /** The statement cannot have run. */
  | 'not-sent'
  /** It may have been committed, or not. */
  | 'unknown';

/** The session is in the failed transaction of somebody before us: nothing runs in it. */
const failedBlock = '25P02';

/** `undefined`: the session goes on; the server itself reported the error, or it is a bug. */
export function connectionLossOf(error: unknown): Loss | undefined {
  const code = errorCode(error);
  if (code === undefined) return undefined;
  if (code === failedBlock && !isOfFunction(error)) return 'not-sent';
  // A trigger may report any SQLSTATE, a lost connection of its own as well.
  if (severityOf(error) === 'ERROR') return undefined;
  if (code === spentCode || notSent.has(code)) return 'not-sent';
  return lost.has(code) || code.startsWith('08') ? 'unknown' : undefined;
}

/**
 * The session or its server takes no writes. Another session may: a default of the role was taken back,
 * or the name leads to another server meanwhile. A trigger may report it, too, and that means nothing.
 */
export function isReadOnly(error: unknown): boolean {
  return isWireError(error) && error.code === '25006' && error.routine.startsWith('Prevent');
}

/** There never was a connection: whatever waited for it was not sent. */
export function isRefusal(error: unknown): boolean {
  return refused.has(errorCode(error) ?? '');
}

/** The server ended the session with it. The transaction before it may have been committed. */
export function hasEndedSession(error: unknown): boolean {
  return ['FATAL', 'PANIC'].includes(severityOf(error) ?? '') && !isRefusal(error);
}

/** There is nothing to talk to, whatever is asked: errors of sessions have theirs inside. */
export function isOutOfReach(error: unknown): boolean {
  if (connectionLossOf(error) !== undefined || isRefusal(error)) return true;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause !== undefined && isOutOfReach(cause);
}

/** A kept statement no longer fits its tables, is gone, or is there already: it did not run. */
export function isStalePlan(error: unknown): boolean {
  return (
    ['0A000', '26000', '42804', '42P05'].includes(errorCode(error) ?? '') && !isOfFunction(error)
  );
}

/** Reported inside of a function, most often a trigger's: its author may have chosen any SQLSTATE. */
function isOfFunction(error: unknown): boolean {
  return isWireError(error) && error.hasContext;
}

/** We have given the connection up: the server was silent, or said what it should not. */
export function outOfStepError(): Error {
  return Object.assign(new Error('the connection was given up'), {
    code: 'CONNECTION_DESTROYED',
  });
}

/** A time came in another form than the session was told, or the column has another type. */
export function unreadableTimeError(): Error {
  return Object.assign(new Error('a time in a form that is not known'), {
    code: 'UNREADABLE_TIME',
  });
}

/** @param cause SQLSTATE with which the server ended the session. */
export function closedError(cause?: string): Error {
  const reason = cause === undefined ? '' : ` (${cause})`;
  return Object.assign(new Error(`the server closed the connection${reason}`), {
    code: 'CONNECTION_CLOSED',
  });
}

/** @param cause what ended the connection, before anything was sent on it. */
export function spentError(cause?: unknown): Error {
  return Object.assign(new Error('the connection is gone', { cause }), { code: spentCode });
}

/** What a pipeline read itself, with all that it keeps; the driver's errors are not. */
export function isWireError(error: unknown): error is ServerError {
  return error instanceof Error && 'isRunning' in error;
}

/** Of what the server reported; `undefined`: it reported nothing. */
function severityOf(error: unknown): string | undefined {
  const severity: unknown =
    error instanceof Error ? (error as { severity?: unknown }).severity : undefined;
  return typeof severity === 'string' ? severity : undefined;
}

/** SQLSTATE or the driver's code. */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * A database that is not there, starts, stops, fails over, or has nothing left to give: it may
 * be what it should be a moment later. Not so a refused password or a migration that is wrong.
 */
export function isAway(error: unknown): boolean {
  if (connectionLossOf(error) !== undefined) return true;
  const code = errorCode(error);
  if (code === undefined) return false;
  // Resources, an operator's intervention, and what a standby or a lock refuses.
  return code.startsWith('53') || code.startsWith('57') || ['25006', '55P03'].includes(code);
}
