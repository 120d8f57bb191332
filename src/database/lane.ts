/**
 * A connection for one kind of work that replaces itself. When it is lost, its statements reject
 * and the next statement opens a new connection.
 */
import type { DatabaseConfig } from '../config/config.ts';
import { connectionLossOf, isReadOnly } from './connection-lost.ts';
import { openPipeline, type Pipeline } from './pipeline/pipeline.ts';
import type { PipelineOptions } from './pipeline/pipeline-options.ts';

export interface Lane {
  /** Runs `use` on the current connection and settles as `use` does. */
  run<Result>(use: (pipeline: Pipeline) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** How often a lane checks its statements for timeouts. */
const lookMs = 250;
/**
 * Added to the server's statement timeout: the server's own error tells the outcome of a statement.
 */
const silenceMarginMs = 1000;
/** How long a read-only connection is kept at least: a new one may be read-only too. */
const readOnlyMs = 500;

export interface LaneOptions extends Omit<PipelineOptions, 'onClose'> {
  /** A connection idle for this long is closed; the next statement opens a new one. 0: never. */
  readonly idleMs?: number;
}

/**
 * Opens a lane to a database. The first `run` opens the connection, not this call.
 *
 * A statement that has no answer one second after its server timeout is abandoned with the
 * connection. With `statementTimeoutMs: 0` it is never abandoned.
 * @param options milliseconds; see PipelineOptions and `idleMs`.
 * @example
 * const lane = openLane(database, { applicationName: 'tasks counts', statementTimeoutMs: 5000 });
 * await lane.run((pipeline) => pipeline.run('SELECT $1::int + 1', ['41'])); // [['42']]
 * await lane.close();
 */
export function openLane(database: DatabaseConfig, options: LaneOptions): Lane {
  const { statementTimeoutMs, idleMs } = options;
  return createLane(
    (onClose) => openPipeline(database, { ...options, onClose }),
    statementTimeoutMs === 0 ? Number.POSITIVE_INFINITY : statementTimeoutMs + silenceMarginMs,
    idleMs,
  );
}

/** For a rare statement: opens a lane, runs `use` on it, and closes it. Settles as `use` does. */
export async function withLane<Result>(
  database: DatabaseConfig,
  options: LaneOptions,
  use: (pipeline: Pipeline) => Promise<Result>,
): Promise<Result> {
  const lane = openLane(database, options);
  try {
    return await lane.run(use);
  } finally {
    await lane.close();
  }
}

/**
 * Keeps one pipeline and opens another one when that is lost, read-only, idle or silent.
 *
 * `run` rejects with the error of `use`. An error that means a lost connection (connection-lost.ts)
 * also replaces the pipeline. A read-only session is replaced too, at most every 500 ms.
 * @param open opens a pipeline, which calls `onClose` when its connection is gone.
 * @param timeoutMs milliseconds after which a silent statement is abandoned with its connection.
 * The server ends a slow statement earlier; a frozen or unreachable server does not. `Infinity`:
 * never.
 * @param idleMs see LaneOptions.
 */
export function createLane(
  open: (onClose: () => void) => Pipeline,
  timeoutMs: number,
  idleMs = 0,
): Lane {
  const idleMaxMs = idleMs === 0 ? Number.POSITIVE_INFINITY : idleMs;
  let closing = false;
  let openedAt = 0;
  /** A statement was sent on the current connection since the last check. */
  let used = false;
  /** When a check last found the connection in use; `undefined`: it has not been used yet. */
  let usedAt: number | undefined;
  let present = openNext();
  /**
   * Start of each statement in flight, in milliseconds of `performance.now()`. Not a Set: one that
   * fills and empties all the time leaves a chain of tables that survives minor collections
   * (perf/README.md).
   */
  const underWay: { readonly since: number }[] = [];
  const watch = setInterval(look, lookMs);
  watch.unref();

  function look(): void {
    const now = performance.now();
    if (underWay.some(({ since }) => since < now - timeoutMs)) {
      underWay.length = 0;
      replace(present);
    } else if (used || underWay.length > 0) {
      used = false;
      usedAt = now;
    } else if (usedAt !== undefined && now - usedAt >= idleMaxMs) {
      giveBack();
    }
  }

  function giveBack(): void {
    const idle = present;
    present = openNext();
    void idle.close();
  }

  /** The new pipeline connects with its first statement. */
  function openNext(): Pipeline {
    openedAt = performance.now();
    used = false;
    usedAt = undefined;
    const pipeline = open(() => replace(pipeline));
    return pipeline;
  }

  /** Rejects the statements in flight on the lost connection. */
  function replace(lost: Pipeline): void {
    if (closing || lost !== present) return;
    present = openNext();
    lost.destroy();
  }

  /** Statements in flight on the old connection continue. */
  function renew(old: Pipeline): void {
    if (closing || old !== present || performance.now() - openedAt < readOnlyMs) return;
    present = openNext();
    void old.close();
  }

  async function run<Result>(use: (pipeline: Pipeline) => Promise<Result>): Promise<Result> {
    const pipeline = present;
    const statement = { since: performance.now() };
    underWay.push(statement);
    used = true;
    try {
      return await use(pipeline);
    } catch (error) {
      if (connectionLossOf(error) !== undefined) replace(pipeline);
      else if (isReadOnly(error)) renew(pipeline);
      throw error;
    } finally {
      const place = underWay.indexOf(statement);
      if (place !== -1) underWay.splice(place, 1);
    }
  }

  async function close(): Promise<void> {
    closing = true;
    clearInterval(watch);
    await present.close();
  }

  return { run, close };
}

/**
 * Combines lanes: each call runs on the lane with the fewest calls in flight. `close` closes all.
 * @param lanes at least one. Each call may meet another connection, so statements share no session.
 */
export function joinLanes(lanes: readonly Lane[]): Lane {
  const loads = lanes.map((lane) => ({ lane, underWay: 0 }));

  async function run<Result>(use: (pipeline: Pipeline) => Promise<Result>): Promise<Result> {
    const load = loads.reduce((least, next) => (next.underWay < least.underWay ? next : least));
    load.underWay++;
    try {
      return await load.lane.run(use);
    } finally {
      load.underWay--;
    }
  }

  return {
    run,
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}
