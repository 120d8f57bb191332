/**
 * How the connections to PostgreSQL that a host may have are divided among its front ends and their
 * threads. A thread that has few of them lets kinds of work share one (src/tasks/lanes.ts).
 */

export interface Wanted {
  /** The most that this host may have open. */
  readonly connections: number;
  readonly frontEnds: number;
  /** Of each front end. */
  readonly workerThreads: number;
}

/** The connections of one front end. */
export interface FrontEndConnections {
  /** The generation is read on one of its own; false: on one of the front end's own thread. */
  readonly ownGeneration: boolean;
  /** Of the front end's own thread. */
  readonly local: number;
  /** Of each worker thread. */
  readonly worker: number;
}

export interface ConnectionBudget {
  readonly wanted: Wanted;
  /** As many as wanted, or as there are connections for. */
  readonly frontEnds: number;
  readonly workerThreads: number;
  readonly perFrontEnd: FrontEndConnections;
  /** What all of them may have open at once, the primary's included. */
  readonly most: number;
}

/** A thread that has this many shares none: one for each kind, and a second one for searches. */
export const connectionsPerThreadMax = 7;
/** One for each work beside requests: counts for metrics, texts, keys, the look at the tables. */
export const primaryConnections = 4;
export const connectionsMin = primaryConnections + 1;
/** With this many, reads, writes, lists and searches are apart: what else is apart gains little. */
const enough = 4;

export function divideConnections(wanted: Wanted): ConnectionBudget {
  const forFrontEnds = wanted.connections - primaryConnections;
  const frontEnds = Math.min(wanted.frontEnds, forFrontEnds);
  const each = Math.floor(forFrontEnds / frontEnds);
  const ownGeneration = each >= 3;
  const local = Math.min(each, 2);
  const left = each - local - Number(ownGeneration);
  const workerThreads = Math.min(wanted.workerThreads, left);
  const grown = grow({ local, worker: workerThreads === 0 ? 0 : 1 }, workerThreads, left);
  return {
    wanted,
    frontEnds,
    workerThreads,
    perFrontEnd: { ownGeneration, ...grown },
    most:
      primaryConnections +
      frontEnds * (Number(ownGeneration) + grown.local + workerThreads * grown.worker),
  };
}

/** The front end's own thread has most of the work while batches are small, so it comes first. */
function grow(
  { local, worker }: { local: number; worker: number },
  workerThreads: number,
  connections: number,
): { local: number; worker: number } {
  let left = connections - workerThreads * worker;
  const grown = { local, worker };
  for (const aim of [enough, connectionsPerThreadMax]) {
    const more = Math.min(aim - grown.local, left);
    grown.local += more;
    left -= more;
    if (workerThreads === 0) continue;
    const moreEach = Math.min(aim - grown.worker, Math.floor(left / workerThreads));
    grown.worker += moreEach;
    left -= moreEach * workerThreads;
  }
  return grown;
}
