/**
 * Divides a host's PostgreSQL connections among front ends and threads. In a thread with few
 * connections, kinds of work share them (src/tasks/lanes.ts).
 */

export interface Wanted {
  /** The most connections of this host. */
  readonly connections: number;
  readonly frontEnds: number;
  /** Worker threads of each front end. */
  readonly workerThreads: number;
}

/** The connections of one front end. */
export interface FrontEndConnections {
  /** The generation has its own connection; false: it shares one with the front end's thread. */
  readonly ownGeneration: boolean;
  /** Connections of the front end's own thread. */
  readonly local: number;
  /** Connections of each worker thread. */
  readonly worker: number;
}

export interface ConnectionBudget {
  readonly wanted: Wanted;
  /** As many as wanted, or as the connections allow. */
  readonly frontEnds: number;
  readonly workerThreads: number;
  readonly perFrontEnd: FrontEndConnections;
  /** The most connections at once of all processes, including the primary. */
  readonly most: number;
}

/** With this many, no kinds share: one for each kind, and a second one for searches. */
export const connectionsPerThreadMax = 7;
/** One for each background work: metrics counts, text index, keys, the check of the tables. */
export const primaryConnections = 4;
export const connectionsMin = primaryConnections + 1;
/** With this many, reads, writes, lists and searches are separate: more gains little. */
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

/** The front end's own thread comes first: it does most of the work while batches are small. */
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
