/**
 * A connection on which statements run one behind another, each sent without waiting for the one
 * before it. The request path's own: it does what a batch needs and nothing else, in a third of the
 * time that a driver for everything takes (perf/README.md). A connection that is lost is not made
 * again: whoever holds the pipeline takes another one (lane.ts).
 *
 *   run ──▸ waiting (no connection yet) ──▸ under way (FIFO, as the server answers) ──▸ settled
 */
import type { Socket } from 'node:net';
import type { DatabaseConfig } from '../../config.ts';
import type { ClientOptions } from '../client.ts';
import {
  closedError,
  isRefusal,
  isStalePlan,
  outOfStepError,
  spentError,
} from '../connection-lost.ts';
import { connectSession } from './handover.ts';
import { bindAndExecute, parseMessage, terminate } from './messages.ts';
import { createReader } from './reader.ts';
import { type RowReader, readValues, type Values } from './row.ts';
import { isFatal, serverError } from './server-error.ts';

export interface PipelineOptions extends Omit<ClientOptions, 'max' | 'onClose' | 'openSocket'> {
  /** Told once, when the connection is gone or could not be made. */
  readonly onClose: () => void;
}

export interface Pipeline {
  /**
   * Runs one statement, in a transaction of its own. Connects when it is the first.
   * Rejects with SQLSTATE or the system's code in `code` (connection-lost.ts).
   * @param parameters in PostgreSQL's text form.
   * @param prepare the server keeps the statement and its plan.
   */
  run(text: string, parameters: readonly string[], prepare?: boolean): Promise<Values[]>;
  /** The same for a statement that is kept. @param read must not throw. */
  read<Row>(text: string, parameters: readonly string[], read: RowReader<Row>): Promise<Row[]>;
  /** Gives up the connection and rejects what is under way. */
  destroy(): void;
  /** Waits for what is under way, for a second at most, and lets go of the connection. */
  close(): Promise<void>;
}

interface Statement {
  readonly text: string;
  readonly parameters: readonly string[];
  readonly prepare: boolean;
  readonly read: RowReader<unknown>;
  readonly resolve: (rows: unknown[]) => void;
  readonly reject: (error: unknown) => void;
  rows: unknown[];
  failure: Error | undefined;
  /** What the server keeps it as; empty: it keeps it not. */
  name: string;
  /** The server has not said yet that it understands it. */
  parsing: boolean;
  /** It ran anew, because its plan no longer fitted. */
  repeated: boolean;
}

const closeTimeoutMs = 1000;

// Types of messages (PostgreSQL manual, "Message Formats").
const dataRow = 0x44; // D
const errorResponse = 0x45; // E
const parseComplete = 0x31; // 1
const readyForQuery = 0x5a; // Z
/** Of no interest: BindComplete, CommandComplete, notices, settings and the like. */
const passedOver: ReadonlySet<number> = new Set(Buffer.from('23ACINSnt'));

export function openPipeline(database: DatabaseConfig, options: PipelineOptions): Pipeline {
  let state: 'new' | 'connecting' | 'open' | 'gone' = 'new';
  let socket: Socket | undefined;
  let waiting: Statement[] = [];
  const underWay: Statement[] = [];
  /** By text, what the server keeps a statement as. */
  const kept = new Map<string, string>();
  let keptCount = 0;
  const reader = createReader(takeMessage, () => lose(outOfStepError()));

  function start<Row>(
    text: string,
    parameters: readonly string[],
    read: RowReader<Row>,
    prepare: boolean,
  ): Promise<Row[]> {
    return new Promise<Row[]>((resolve, reject) => {
      const statement: Statement = {
        text,
        parameters,
        prepare,
        read,
        resolve: resolve as (rows: unknown[]) => void,
        reject,
        rows: [],
        failure: undefined,
        name: '',
        parsing: false,
        repeated: false,
      };
      if (state === 'open') return send(statement);
      if (state === 'gone') return reject(spentError());
      waiting.push(statement);
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
      for (const statement of first) send(statement);
    } catch (error) {
      lose(error as Error);
    }
  }

  /** A function, because the compiler does not know who changes it meanwhile. */
  function isGone(): boolean {
    return state === 'gone';
  }

  function send(statement: Statement): void {
    underWay.push(statement);
    const { text, parameters, prepare } = statement;
    statement.name = kept.get(text) ?? '';
    if (statement.name === '') {
      if (prepare) {
        statement.name = `s${++keptCount}`;
        kept.set(text, statement.name);
      }
      statement.parsing = true;
      socket!.write(parseMessage(statement.name, text));
    }
    socket!.write(bindAndExecute(statement.name, parameters));
  }

  /** Called from the socket: a throw would end the process. */
  function takeMessage(type: number, bytes: Buffer, at: number, end: number): void {
    const statement = underWay[0];
    switch (type) {
      case dataRow:
        return statement === undefined ? lose(outOfStepError()) : takeRow(statement, bytes, at);
      case readyForQuery:
        return statement === undefined ? lose(outOfStepError()) : settle(statement);
      case parseComplete:
        if (statement !== undefined) statement.parsing = false;
        return;
      case errorResponse: {
        const failure = serverError(bytes, at, end);
        if (statement !== undefined) statement.failure = failure;
        if (isFatal(failure)) lose(closedError(failure.code), failure);
        return;
      }
      default:
        if (!passedOver.has(type)) lose(outOfStepError());
    }
  }

  function takeRow(statement: Statement, bytes: Buffer, at: number): void {
    try {
      statement.rows.push(statement.read(bytes, at));
    } catch (bug) {
      statement.failure = bug as Error;
    }
  }

  function settle(statement: Statement): void {
    underWay.shift();
    const { failure } = statement;
    if (failure === undefined) return statement.resolve(statement.rows);
    const isStale = statement.prepare && isStalePlan(failure);
    // What the server did not understand it does not keep either.
    if ((isStale || statement.parsing) && kept.get(statement.text) === statement.name) {
      kept.delete(statement.text);
    }
    if (!isStale || statement.repeated) return statement.reject(failure);
    // It did not run; parsed anew, it is planned for the tables as they are.
    statement.repeated = true;
    statement.failure = undefined;
    statement.rows = [];
    send(statement);
  }

  /** @param first for the statement that the server was at; the others may have run, or not. */
  function lose(error: Error, first = error): void {
    if (state === 'gone') return;
    state = 'gone';
    socket?.destroy();
    rejectAll(error, first);
    options.onClose();
  }

  function rejectAll(error: Error, first = error): void {
    for (const [place, statement] of underWay.splice(0).entries()) {
      statement.reject(place === 0 ? first : error);
    }
    for (const statement of waiting.splice(0)) {
      statement.reject(isRefusal(error) ? error : spentError(error));
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

  return {
    run: (text, parameters, prepare = true) => start(text, parameters, readValues, prepare),
    read: (text, parameters, read) => start(text, parameters, read, true),
    destroy: () => lose(outOfStepError()),
    close,
  };
}
