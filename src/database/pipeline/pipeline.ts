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
import type { DatabaseConfig } from '../../config/config.ts';
import {
  closedError,
  isRefusal,
  isStalePlan,
  outOfStepError,
  spentError,
} from '../connection-lost.ts';
import { settingsText, transactionSettings } from '../session-settings.ts';
import { connectSession, endSession } from './handover.ts';
import type { Pipeline, PipelineOptions } from './interface.ts';
import { isAsNeeded } from './parameter-status.ts';
import {
  bindComplete,
  commandComplete,
  dataRow,
  errorResponse,
  parameterStatus,
  parseComplete,
  readyForQuery,
} from './protocol-messages.ts';
import { createReader } from './reader.ts';
import { readValues, type Values } from './row.ts';
import { isFatal, serverError } from './server-error.ts';
import {
  afterSending,
  type Call,
  createTransaction,
  isRunning,
  messagesOf,
  passClock,
  type QueuedStatement,
  readNothing,
  rewind,
  statementOf,
  type Transaction,
  takeRow,
  type View,
} from './transaction.ts';

export type { Pipeline, PipelineOptions } from './interface.ts';

const variantBytes = 6;

/** Messages that are ignored: CloseComplete, notices and the like. */
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

  function begin(view: View, statements: readonly QueuedStatement[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = createTransaction(view, statements, resolve, reject);
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
    transaction.variant = variant;
    socket!.write(messagesOf(transaction, kept));
  }

  /** Called from the socket's callback: an exception would end the process. */
  function takeMessage(type: number, bytes: Buffer, at: number, end: number): void {
    const transaction = underWay[0];
    switch (type) {
      case dataRow:
        if (transaction === undefined || !takeRow(transaction, bytes, at)) lose(outOfStepError());
        return;
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
    // It had no effect. Parsed again, it is planned for the present tables.
    rewind(transaction);
    send(transaction);
  }

  /** @param first the error of the current transaction. The others may or may not have run. */
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
    await endSession(open);
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

  return through({ prelude: preludeOf(options, isPooled), clock: undefined });
}

function preludeOf(options: PipelineOptions, isPooled: boolean): string | null {
  const { prelude } = options;
  if (prelude !== undefined || !isPooled) return prelude ?? null;
  return settingsText(transactionSettings(options), 'transaction');
}
