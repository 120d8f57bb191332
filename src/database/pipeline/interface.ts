/** What a pipelined connection offers: pipeline.ts makes one. */
import type { StatementClock } from '../../base/statement-time.ts';
import type { ClientOptions } from '../client.ts';
import type { RowReader, Values } from './row.ts';
import type { Call } from './transaction.ts';

export interface PipelineOptions extends Omit<ClientOptions, 'max' | 'onClose' | 'openSocket'> {
  /** Called once, when the connection is gone or could not be opened. */
  readonly onClose: () => void;
  /**
   * A statement without parameters that starts each transaction; its rows are dropped. Default: the
   * session's settings behind a transaction pooler, otherwise none. `null`: none.
   */
  readonly prelude?: string | null | undefined;
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
