/** The statements before one Sync, from their sending to their end. */
import type { StatementClock } from '../../base/statement-time.ts';
import { closedError, errorCode, isRefusal } from '../connection-lost.ts';
import { bindAndExecute, closeMessage, parseMessage } from './protocol-messages.ts';
import type { RowReader } from './row.ts';
import { statementName } from './statement-name.ts';

export interface Call {
  readonly text: string;
  /** In PostgreSQL's text form. */
  readonly parameters: readonly string[];
  /** False: the server does not keep the statement and its plan. Default: true. */
  readonly isKept?: boolean;
}

export interface QueuedStatement extends Call {
  readonly read: RowReader<unknown>;
  readonly rows: unknown[];
  /** The name under which the server keeps the statement; empty: the server does not keep it. */
  readonly name: string;
  /** The server has not confirmed the Parse message yet. */
  parsing: boolean;
}

export interface Transaction {
  readonly statements: readonly QueuedStatement[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The index of the statement whose rows arrive. */
  at: number;
  /** The number of statements that the server has bound to their parameters. */
  bound: number;
  failure: Error | undefined;
  /** The suffix of its statements' texts and names; see `variant` in pipeline.ts. */
  variant: string;
  /** It was retried, because a prepared statement was missing or no longer fitted its tables. */
  repeated: boolean;
  readonly clock: StatementClock | undefined;
  /** When the server started on it, by `performance.now()`; 0 without a clock. */
  startedAt: number;
}

/** The prelude and clock of one user of the connection. */
export interface View {
  readonly prelude: string | null;
  readonly clock: StatementClock | undefined;
}

/** @param statements sent after the prelude of the view, if it has one. */
export function createTransaction(
  { prelude, clock }: View,
  statements: readonly QueuedStatement[],
  resolve: () => void,
  reject: (error: unknown) => void,
): Transaction {
  return {
    statements:
      prelude === null
        ? statements
        : [statementOf({ text: prelude, parameters: [] }, readNothing, true), ...statements],
    resolve,
    reject,
    at: 0,
    bound: 0,
    failure: undefined,
    variant: '',
    repeated: false,
    clock,
    startedAt: 0,
  };
}

/** Resets it, so that it can be sent again. */
export function rewind(transaction: Transaction): void {
  transaction.repeated = true;
  transaction.failure = undefined;
  transaction.at = 0;
  transaction.bound = 0;
  for (const statement of transaction.statements) {
    statement.parsing = false;
    statement.rows.length = 0;
  }
}

/** Stops the clock of a finished transaction and starts that of the next. */
export function passClock(done: Transaction, next: Transaction | undefined): void {
  if (done.clock === undefined && next?.clock === undefined) return;
  const now = performance.now();
  if (done.clock !== undefined) {
    done.clock.busyMs += now - done.startedAt;
    done.clock.endedAt = now;
  }
  if (next !== undefined) next.startedAt = now;
}

export function statementOf(
  { text, parameters }: Call,
  read: RowReader<unknown>,
  keep: boolean,
): QueuedStatement {
  return {
    text,
    parameters,
    read,
    rows: [],
    name: keep ? statementName(text) : '',
    parsing: false,
  };
}

/** The server has bound the current statement, or it runs deferred checks after the last one. */
export function isRunning(transaction: Transaction | undefined): boolean {
  if (transaction === undefined) return false;
  const { at, bound, statements } = transaction;
  return bound > at || at === statements.length;
}

export function readNothing(): undefined {}

/** @param kept the names of the statements that the server keeps. New ones are added. */
export function messagesOf({ statements, variant }: Transaction, kept: Set<string>): Buffer {
  const parts: Buffer[] = [];
  for (let place = 0; place < statements.length; place++) {
    const statement = statements[place]!;
    const { text, parameters } = statement;
    const name = statement.name && statement.name + variant;
    if (name === '' || !kept.has(name)) {
      // A previous user of this session may have left a statement of that name.
      if (name !== '') parts.push(closeMessage(name));
      if (name !== '') kept.add(name);
      statement.parsing = true;
      parts.push(parseMessage(name, variant === '' ? text : `${text}\n-- ${variant}`));
    }
    parts.push(bindAndExecute(name, parameters, place === statements.length - 1));
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** @returns false when no statement in flight can have a row. */
export function takeRow(transaction: Transaction, bytes: Buffer, at: number): boolean {
  const statement = transaction.statements[transaction.at];
  if (statement === undefined) return false;
  try {
    statement.rows.push(statement.read(bytes, at));
  } catch (bug) {
    transaction.failure = bug as Error;
  }
  return true;
}

/** After a statement was sent, a refusal (an unreachable network, a pooler) counts as a lost connection. */
export function afterSending(error: Error): Error {
  return isRefusal(error) ? closedError(errorCode(error)) : error;
}
