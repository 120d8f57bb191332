/**
 * One connection that a kind of work has for itself. One that is lost is thrown away with all that
 * was on it, and the next statement goes out on a new one.
 */
import type { DatabaseConfig } from '../config/config.ts';
import { connectionLossOf, isReadOnly } from './connection-lost.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from './pipeline/pipeline.ts';

export interface Lane {
  /** Runs on the present connection, and rejects as that does. */
  run<Result>(use: (pipeline: Pipeline) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** How often a lane looks whether a statement is late. */
const lookMs = 250;
/** Beyond the server's own timeout: it is the one that knows what became of a statement. */
const silenceMarginMs = 1000;
/** How long a connection that takes no writes is kept at least: there may be no other. */
const readOnlyMs = 500;

export interface LaneOptions extends Omit<PipelineOptions, 'onClose'> {
  /** A connection without work for this long is closed, and made anew when there is some; 0: never. */
  readonly idleMs?: number;
}

/** A lane that gives a statement up a second after the server should have ended it. */
export function openLane(database: DatabaseConfig, options: LaneOptions): Lane {
  const { statementTimeoutMs, idleMs } = options;
  return createLane(
    (onClose) => openPipeline(database, { ...options, onClose }),
    statementTimeoutMs === 0 ? Number.POSITIVE_INFINITY : statementTimeoutMs + silenceMarginMs,
    idleMs,
  );
}

/** For one statement now and then: its connection is closed behind it. Rejects as `use` does. */
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
 * @param open makes a pipeline that calls `onClose` when its connection is gone.
 * @param timeoutMs a statement that has said nothing for longer is given up, and its connection
 * with it: the server ends slow ones earlier, but one that is frozen or cut off ends nothing.
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
  /** The present connection was asked for something since the last look. */
  let used = false;
  /** When a look last found it in use; `undefined`: it is not connected yet. */
  let usedAt: number | undefined;
  let present = openNext();
  /**
   * When each of the statements under way began. No Set: one that is emptied and filled all the time
   * leaves a chain of tables behind, which survives minor collections (perf/README.md).
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

  /** It connects when it is asked for something. */
  function openNext(): Pipeline {
    openedAt = performance.now();
    used = false;
    usedAt = undefined;
    const pipeline = open(() => replace(pipeline));
    return pipeline;
  }

  /** Rejects what the lost one still had, so that nothing waits for it. */
  function replace(lost: Pipeline): void {
    if (closing || lost !== present) return;
    present = openNext();
    lost.destroy();
  }

  /** What is under way on the old one goes on. */
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

/** Several as one: what comes goes to the one with the least to do. */
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
