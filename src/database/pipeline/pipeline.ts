/**
 * A pipelined connection: each statement is sent without waiting for the previous one's result. It
 * serves the request path only and takes a third of the time of a general driver (perf/README.md).
 * A lost connection is not opened again: the owner of the pipeline opens another one (lane.ts).
 *
 *   run ──▸ waiting (no connection yet) ──▸ in flight (FIFO, in the server's order) ──▸ settled
 *
 * All statements before one Sync are one transaction. Most often that is one statement. `together`
 * sends several, and behind a transaction pooler a prelude comes first.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { StatementClock } from '../../base/statement-time.ts';
import type { DatabaseConfig } from '../../config/config.ts';
import type { ClientOptions } from '../client.ts';
import {
  closedError,
  errorCode,
  isRefusal,
  isStalePlan,
  outOfStepError,
  spentError,
} from '../connection-lost.ts';
import { settingsText, transactionSettings } from '../session-settings.ts';
import { connectSession } from './handover.ts';
import { isAsNeeded } from './parameter-status.ts';
import { bindAndExecute, closeMessage, parseMessage, terminate } from './protocol-messages.ts';
import { createReader } from './reader.ts';
import { type RowReader, readValues, type Values } from './row.ts';
import { isFatal, serverError } from './server-error.ts';
import { statementName } from './statement-name.ts';

export interface PipelineOptions extends Omit<ClientOptions, 'max' | 'onClose' | 'openSocket'> {
  /** Called once, when the connection is gone or could not be opened. */
  readonly onClose: () => void;
  /**
   * A statement without parameters that starts each transaction; its rows are dropped. Default: the
   * session's settings behind a transaction pooler, otherwise none. `null`: none.
   */
  readonly prelude?: string | null | undefined;
}

export interface Call {
  readonly text: string;
  /** In PostgreSQL's text form. */
  readonly parameters: readonly string[];
  /** False: the server does not keep the statement and its plan. Default: true. */
  readonly isKept?: boolean;
}

export interface Pipeline {
  /**
   * Runs one statement in a transaction. The first statement opens the connection.
   * @param parameters in PostgreSQL's text form: `'42'`, `'2025-12-05'`, `'{1,2}'`.
   * @param prepare the server keeps the statement and its plan. Default: true.
   * @returns one array for each row; its values are PostgreSQL's text or null.
   * Rejects with an Error whose `code` is an SQLSTATE, the driver's or the system's code.
   * connectionLossOf (connection-lost.ts) tells whether the statement may have run.
   */
  run(text: string, parameters: readonly string[], prepare?: boolean): Promise<Values[]>;
  /**
   * Runs a prepared statement and decodes each row where it lies in the buffer.
   * @param read must copy what it keeps, and must not throw.
   * @param before statements that run first in the same transaction; their rows are dropped.
   * Rejects as `run` does.
   */
  read<Row>(
    text: string,
    parameters: readonly string[],
    read: RowReader<Row>,
    before?: readonly Call[],
  ): Promise<Row[]>;
  /**
   * Runs statements in order, in one transaction and one round trip: all take effect or none. Each
   * has its own snapshot (READ COMMITTED).
   * @returns the rows of each statement, in the order of `calls`.
   * Rejects with the error of the first statement that failed.
   */
  together(calls: readonly Call[]): Promise<Values[][]>;
  /** Runs a statement that must not be in a transaction block, such as VACUUM. No prelude. */
  runAlone(text: string): Promise<void>;
  /** A view of the same connection with another prelude. */
  after(prelude: string): Pipeline;
  /** A view of the same connection. `clock` adds up the server's time for its transactions. */
  timedBy(clock: StatementClock): Pipeline;
  /** Closes the connection at once and rejects the statements in flight. */
  destroy(): void;
  /** Waits at most one second for the statements in flight, then closes the connection. */
  close(): Promise<void>;
}

interface QueuedStatement extends Call {
  readonly read: RowReader<unknown>;
  readonly rows: unknown[];
  /** The name under which the server keeps the statement; empty: the server does not keep it. */
  readonly name: string;
  /** The server has not confirmed the Parse message yet. */
  parsing: boolean;
}

/** All statements before one Sync. */
interface Transaction {
  readonly statements: readonly QueuedStatement[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The index of the statement whose rows arrive. */
  at: number;
  /** The number of statements that the server has bound to their parameters. */
  bound: number;
  failure: Error | undefined;
  /** The suffix of its statements' texts and names; see `variant` below. */
  variant: string;
  /** It was retried, because a prepared statement was missing or no longer fitted its tables. */
  repeated: boolean;
  readonly clock: StatementClock | undefined;
  /** When the server started on it, by `performance.now()`; 0 without a clock. */
  startedAt: number;
}

/** The prelude and clock of one user of the connection. */
interface View {
  readonly prelude: string | null;
  readonly clock: StatementClock | undefined;
}

const closeTimeoutMs = 1000;
const variantBytes = 6;

// Message types (PostgreSQL manual, "Message Formats").
const dataRow = 0x44; // D
const errorResponse = 0x45; // E
const parseComplete = 0x31; // 1
const bindComplete = 0x32; // 2
const commandComplete = 0x43; // C
const readyForQuery = 0x5a; // Z
const parameterStatus = 0x53; // S
/** Ignored: CloseComplete, notices and the like. */
const passedOver: ReadonlySet<number> = new Set(Buffer.from('3AINnt'));
/**
 * Opens a pipeline. The first statement opens the connection; statements wait until it is open. The
 * queue has no bound: the caller bounds its statements in flight (batcher.ts).
 *
 * Statements reject with `CLIENT_SPENT` after the connection is gone, with the refusal's code when
 * it could not be opened, and with a loss code when it broke while they were in flight. A loss code
 * means that the statement may have been committed (connection-lost.ts).
 * @param options timeouts in milliseconds; 0: none.
 * @example
 * const pipeline = openPipeline(database, {
 *   applicationName: 'tasks reads',
 *   statementTimeoutMs: 5000,
 *   onClose: () => reopen(),
 * });
 * const rows = await pipeline.run('SELECT $1::int + 1', ['41']); // [['42']]
 */

export function openPipeline(database: DatabaseConfig, options: PipelineOptions): Pipeline {
  let state: 'new' | 'connecting' | 'open' | 'gone' = 'new';
  let socket: Socket | undefined;
  let waiting: Transaction[] = [];
  const underWay: Transaction[] = [];
  /** The names of the statements that the server keeps for this connection. */
  const kept = new Set<string>();
  const isPooled = database.pooler !== undefined;
  const ownPrelude =
    options.prelude === undefined && isPooled
      ? settingsText(transactionSettings(options), 'transaction')
      : (options.prelude ?? null);
  /**
   * A suffix for the texts of statements. A pooler parses each text once per server connection, for
   * all its clients. When such a plan becomes stale, another text makes the pooler parse it again.
   */
  let variant = '';
  const reader = createReader(takeMessage, () => lose(outOfStepError()));

  async function start<Row>(
    view: View,
    statement: QueuedStatement,
    before: readonly Call[] = [],
  ): Promise<Row[]> {
    const prior = before.map((call) => statementOf(call, readNothing, true));
    await begin(view, prior.length === 0 ? [statement] : [...prior, statement]);
    return statement.rows as Row[];
  }

  async function together(view: View, calls: readonly Call[]): Promise<Values[][]> {
    const statements = calls.map((call) => statementOf(call, readValues, call.isKept ?? true));
    await begin(view, statements);
    return statements.map(({ rows }) => rows as Values[]);
  }

  function begin({ prelude, clock }: View, statements: readonly QueuedStatement[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction: Transaction = {
        statements:
          prelude === null
            ? statements
            : [statementOf({ text: prelude, parameters: [] }, readNothing, true), ...statements],
        resolve,
        reject,
        at: 0,
        bound: 0,
        failure: undefined,
        variant,
        repeated: false,
        clock,
        startedAt: 0,
      };
      if (state === 'open') return send(transaction);
      if (state === 'gone') return reject(spentError());
      waiting.push(transaction);
      if (state === 'new') void connect();
    });
  }

  async function connect(): Promise<void> {
    state = 'connecting';
    try {
      const connected = await connectSession(database, options, reader.feed);
      if (isGone()) {
        connected.destroy();
        return;
      }
      socket = connected;
      socket.on('error', lose);
      socket.on('end', () => lose(closedError()));
      socket.on('close', () => lose(closedError()));
      state = 'open';
      const first = waiting;
      waiting = [];
      for (const transaction of first) send(transaction);
    } catch (error) {
      lose(error as Error);
    }
  }

  /** A function: TypeScript would assume that `state` does not change during an await. */
  function isGone(): boolean {
    return state === 'gone';
  }

  function send(transaction: Transaction): void {
    underWay.push(transaction);
    if (transaction.clock !== undefined && underWay.length === 1) {
      transaction.startedAt = performance.now();
    }
    const { statements } = transaction;
    transaction.variant = variant;
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
    socket!.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  /** Called from the socket's callback: an exception would end the process. */
  function takeMessage(type: number, bytes: Buffer, at: number, end: number): void {
    const transaction = underWay[0];
    switch (type) {
      case dataRow:
        return transaction === undefined ? lose(outOfStepError()) : takeRow(transaction, bytes, at);
      case commandComplete:
        if (transaction !== undefined) transaction.at++;
        return;
      case bindComplete:
        if (transaction !== undefined) transaction.bound++;
        return;
      case readyForQuery:
        return transaction === undefined ? lose(outOfStepError()) : settle(transaction);
      case parseComplete: {
        const parsed = transaction?.statements.find(({ parsing }) => parsing);
        if (parsed !== undefined) parsed.parsing = false;
        return;
      }
      case errorResponse: {
        const failure = serverError(bytes, at, end, isRunning(transaction));
        if (transaction !== undefined) transaction.failure = failure;
        if (isFatal(failure)) lose(closedError(failure.code), failure);
        return;
      }
      case parameterStatus:
        // A function that a statement called has changed an encoding or format for the session, so
        // later values would be misread. The server reports it before the end of the transaction.
        if (!isAsNeeded(bytes, at, end, isPooled)) lose(outOfStepError());
        return;
      default:
        if (!passedOver.has(type)) lose(outOfStepError());
    }
  }

  function takeRow(transaction: Transaction, bytes: Buffer, at: number): void {
    const statement = transaction.statements[transaction.at];
    if (statement === undefined) return lose(outOfStepError());
    try {
      statement.rows.push(statement.read(bytes, at));
    } catch (bug) {
      transaction.failure = bug as Error;
    }
  }

  function settle(transaction: Transaction): void {
    underWay.shift();
    passClock(transaction, underWay[0]);
    const { failure, statements } = transaction;
    if (failure === undefined) return transaction.resolve();
    const isStale = isStalePlan(failure);
    for (const { name, parsing } of statements) {
      // The server does not keep a statement that it could not parse.
      if (isStale || parsing) kept.delete(name + transaction.variant);
    }
    if (isStale && isPooled && transaction.variant === variant) {
      kept.clear();
      variant = `_${randomBytes(variantBytes).toString('hex')}`;
    }
    if (!isStale || transaction.repeated || statements.every(({ name }) => name === '')) {
      return transaction.reject(failure);
    }
    // The transaction had no effect. Parsed again, it gets a plan for the current tables.
    transaction.repeated = true;
    transaction.failure = undefined;
    transaction.at = 0;
    transaction.bound = 0;
    for (const statement of statements) {
      statement.parsing = false;
      statement.rows.length = 0;
    }
    send(transaction);
  }

  /** Stops the clock of a finished transaction and starts that of the next one. */
  function passClock(done: Transaction, next: Transaction | undefined): void {
    if (done.clock === undefined && next?.clock === undefined) return;
    const now = performance.now();
    if (done.clock !== undefined) {
      done.clock.busyMs += now - done.startedAt;
      done.clock.endedAt = now;
    }
    if (next !== undefined) next.startedAt = now;
  }

  /**
   * @param first the error of the transaction that the server was running. The outcome of the later
   * ones is unknown.
   */
  function lose(error: Error, first = error): void {
    if (state === 'gone') return;
    state = 'gone';
    socket?.destroy();
    rejectAll(error, first);
    options.onClose();
  }

  function rejectAll(error: Error, first = error): void {
    if (underWay[0] !== undefined) passClock(underWay[0], undefined);
    for (const [place, transaction] of underWay.splice(0).entries()) {
      transaction.reject(afterSending(place === 0 ? first : error));
    }
    for (const transaction of waiting.splice(0)) {
      transaction.reject(isRefusal(error) ? error : spentError(error));
    }
  }

  async function close(): Promise<void> {
    const open = socket;
    if (open === undefined || state !== 'open') return lose(outOfStepError());
    state = 'gone';
    await new Promise<void>((done) => {
      const timer = setTimeout(() => open.destroy(), closeTimeoutMs);
      open.once('close', () => {
        clearTimeout(timer);
        done();
      });
      open.end(terminate);
    });
    rejectAll(outOfStepError());
  }

  function through(view: View): Pipeline {
    return {
      run: (text, parameters, prepare = true) =>
        start(view, statementOf({ text, parameters }, readValues, prepare)),
      read: (text, parameters, read, before) =>
        start(view, statementOf({ text, parameters }, read, true), before),
      together: (calls) => together(view, calls),
      runAlone: (text) =>
        begin({ ...view, prelude: null }, [
          statementOf({ text, parameters: [] }, readNothing, false),
        ]),
      after: (prelude) => through({ ...view, prelude }),
      timedBy: (clock) => through({ ...view, clock }),
      destroy: () => lose(outOfStepError()),
      close,
    };
  }

  return through({ prelude: ownPrelude, clock: undefined });
}

function statementOf(
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

/**
 * A refusal after a statement was sent (network unreachable, pooler) counts as a lost connection.
 */
function afterSending(error: Error): Error {
  return isRefusal(error) ? closedError(errorCode(error)) : error;
}

/** The server has planned the current statement, or has finished all and runs deferred checks. */
function isRunning(transaction: Transaction | undefined): boolean {
  if (transaction === undefined) return false;
  const { at, bound, statements } = transaction;
  return bound > at || at === statements.length;
}

function readNothing(): undefined {}
