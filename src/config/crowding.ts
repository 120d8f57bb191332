/** Warns about far more processes and threads than cores: a typing error would cost gigabytes. */

export interface Sizes {
  readonly frontEnds: number;
  readonly workerThreads: number;
}

/** Twice the cores is useful for measurements. */
const perCoreMax = 2;
/** Two front ends make sense even on one core: one serves while the other restarts. */
const alwaysFine = 4;

/** @returns a warning that names the variables; `undefined`: none. */
export function crowdingOf({ frontEnds, workerThreads }: Sizes, cores: number): string | undefined {
  const most = Math.max(alwaysFine, perCoreMax * cores);
  const threads = frontEnds * workerThreads;
  const core = cores === 1 ? '1 core' : `${cores} cores`;
  if (frontEnds > most) return `FRONTENDS=${frontEnds} processes on ${core}`;
  if (workerThreads > most) return `WORKER_THREADS=${workerThreads} in each front end on ${core}`;
  if (threads <= most) return undefined;
  return `FRONTENDS=${frontEnds} × WORKER_THREADS=${workerThreads} = ${threads} threads on ${core}`;
}
