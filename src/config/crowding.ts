/** More processes and threads than a machine has use for: a slip of a finger costs gigabytes. */

export interface Sizes {
  readonly frontEnds: number;
  readonly workerThreads: number;
}

/** Twice the cores is what somebody may want to measure. */
const perCoreMax = 2;
/** On one core, too, two front ends replace each other. */
const alwaysFine = 4;

/** @returns what is odd, in words that name the variables; `undefined`: nothing. */
export function crowdingOf({ frontEnds, workerThreads }: Sizes, cores: number): string | undefined {
  const most = Math.max(alwaysFine, perCoreMax * cores);
  const threads = frontEnds * workerThreads;
  const core = cores === 1 ? '1 core' : `${cores} cores`;
  if (frontEnds > most) return `FRONTENDS=${frontEnds} processes on ${core}`;
  if (workerThreads > most) return `WORKER_THREADS=${workerThreads} in each front end on ${core}`;
  if (threads <= most) return undefined;
  return `FRONTENDS=${frontEnds} × WORKER_THREADS=${workerThreads} = ${threads} threads on ${core}`;
}
