/**
 * A connection on which statements run one behind another, each sent without waiting for the one
 * before it. The request path's own: it does what a batch needs and nothing else, in a third of the
 * time that a driver for everything takes (perf/README.md). A connection that is lost is not made
 * again: whoever holds the pipeline takes another one (lane.ts).
 *
 *   run ──▸ waiting (no connection yet) ──▸ under way (FIFO, as the server answers) ──▸ settled
 *
 * What goes out before one Sync is one transaction: most often one statement, but `together` sends
 * several, and a prelude goes in front of each transaction where a session keeps no settings.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { StatementClock } from '../../base/statement-time.ts';
import type { DatabaseConfig } from '../../config/config.ts';
import type { ClientOptions } from '../client.ts';
import {
  closedError,
  isRefusal,
  isStalePlan,
  outOfStepError,
  spentError,
} from '../connection-lost.ts';
import { settingsText, transactionSettings } from '../session-settings.ts';
import { connectSession, endSession } from './handover.ts';
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
import { type RowReader, readValues, type Values } from './row.ts';
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

export interface PipelineOptions extends Omit<ClientOptions, 'max' | 'onClose' | 'openSocket'> {
  /** Told once, when the connection is gone or could not be made. */
  readonly onClose: () => void;
  /**
   * A statement without parameters that runs first in each transaction; its rows are dropped.
   * Default: the settings where a pooler hands sessions around; `null`: none.
   */
  readonly prelude?: string | null | undefined;
}

export interface Pipeline {
  /**
   * Runs one statement, in a transaction of its own. Connects when it is the first.
   * Rejects with SQLSTATE or the system's code in `code` (connection-lost.ts).
   * @param parameters in PostgreSQL's text form.
   * @param prepare the server keeps the statement and its plan.
   */
  run(text: string, parameters: readonly string[], prepare?: boolean): Promise<Values[]>;
  /**
   * The same for a statement that is kept.
   * @param read must not throw.
   * @param before statements that run first in the same transaction; their rows are dropped.
   */
  read<Row>(
    text: string,
    parameters: readonly string[],
    read: RowReader<Row>,
    before?: readonly Call[],
  ): Promise<Row[]>;
  /**
   * Runs statements one after another in one transaction and one round trip: all take
   * effect or none. Each has a snapshot of its own. Rejects with the failure of the first that failed.
   * @returns the rows of each.
   */
  together(calls: readonly Call[]): Promise<Values[][]>;
  /** A statement that runs in no transaction block, such as VACUUM: without the prelude. */
  runAlone(text: string): Promise<void>;
  /** The same connection with another prelude. */
  after(prelude: string): Pipeline;
  /** The same connection; what runs on this view of it is timed. */
  timedBy(clock: StatementClock): Pipeline;
  /** Gives up the connection and rejects what is under way. */
  destroy(): void;
  /** Waits for what is under way, for a second at most, and lets go of the connection. */
  close(): Promise<void>;
}

const variantBytes = 6;

/** Of no interest: CloseComplete, notices and the like. */
const passedOver: ReadonlySet<number> = new Set(Buffer.from('3AINnt'));

export function openPipeline(database: DatabaseConfig, options: PipelineOptions): Pipeline {
  let state: 'new' | 'connecting' | 'open' | 'gone' = 'new';
  let socket: Socket | undefined;
  let waiting: Transaction[] = [];
  const underWay: Transaction[] = [];
  /** Names of the statements that the server keeps for us. */
  const kept = new Set<string>();
  const isPooled = database.pooler !== undefined;
  /**
   * A pooler has each text parsed once on each of its server connections, whoever asks and however
   * often. Where that one no longer fits, a text that differs is parsed anew.
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

  /** A function, because the compiler does not know who changes it meanwhile. */
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

  /** Called from the socket: a throw would end the process. */
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
        // A function that a statement called has changed it for the session: what is read and written
        // from here on would mean something else. The server says so before the transaction's end.
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
      // What the server did not understand it does not keep either.
      if (isStale || parsing) kept.delete(name + transaction.variant);
    }
    if (isStale && isPooled && transaction.variant === variant) {
      kept.clear();
      variant = `_${randomBytes(variantBytes).toString('hex')}`;
    }
    if (!isStale || transaction.repeated || statements.every(({ name }) => name === '')) {
      return transaction.reject(failure);
    }
    // Nothing of it took effect; parsed anew, it is planned for the tables as they are.
    rewind(transaction);
    send(transaction);
  }

  /** @param first for the transaction that the server was at; the others may have run, or not. */
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
