/**
 * One connection that a kind of work has for itself. One that is lost is thrown away with all that
 * was on it, and the next statement goes out on a new one.
 */
import type { DatabaseConfig } from '../config.ts';
import { connectionLossOf, isReadOnly } from './connection-lost.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from './wire/pipeline.ts';

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

type LaneOptions = Omit<PipelineOptions, 'onClose'>;

/** A lane that gives a statement up a second after the server should have ended it. */
export function openLane(database: DatabaseConfig, options: LaneOptions): Lane {
  const { statementTimeoutMs } = options;
  return createLane(
    (onClose) => openPipeline(database, { ...options, onClose }),
    statementTimeoutMs === 0 ? Number.POSITIVE_INFINITY : statementTimeoutMs + silenceMarginMs,
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
 */
export function createLane(open: (onClose: () => void) => Pipeline, timeoutMs: number): Lane {
  let closing = false;
  let openedAt = 0;
  let present = openNext();
  /**
   * When each of the statements under way began. No Set: one that is emptied and filled all the time
   * leaves a chain of tables behind, which survives minor collections (perf/README.md).
   */
  const underWay: { readonly since: number }[] = [];
  const watch = setInterval(giveUpLate, lookMs);
  watch.unref();

  function giveUpLate(): void {
    const lateSince = performance.now() - timeoutMs;
    if (underWay.every(({ since }) => since >= lateSince)) return;
    underWay.length = 0;
    replace(present);
  }

  function openNext(): Pipeline {
    openedAt = performance.now();
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
