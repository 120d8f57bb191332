/** The service as a flame graph is drawn of it, and the load on it. */
import { resolve } from 'node:path';
import { runClosedLoop } from '../load/closed-loop/run.ts';
import type { PerfDatabase } from '../support/database.ts';
import type { RunningServer } from '../support/server.ts';
import { startWatchedService, type WatchedService } from '../support/watched-service.ts';
import { type FlamegraphOptions, wakeSeconds } from './options.ts';

/** @param flags for Node, in every process of the service. */
export function startProfiledService(
  { config }: PerfDatabase,
  { dataDir, frontEnds, offloadMinBatch }: FlamegraphOptions,
  flags: readonly string[],
): Promise<WatchedService> {
  return startWatchedService(config, resolve(dataDir), {
    FRONTENDS: String(frontEnds),
    OFFLOAD_MIN_BATCH: String(offloadMinBatch),
    WORKER_THREADS: '1',
    PPROF_ENABLED: 'true',
    ...(flags.length === 0 ? {} : { NODE_OPTIONS: flags.join(' ') }),
  });
}

/** Resolves when the load is over; rejects when an answer was not as expected. */
export function putLoadOn(
  service: RunningServer,
  { load, connections, seconds }: FlamegraphOptions,
): Promise<unknown> {
  const over = runClosedLoop(service, {
    scenario: load,
    connections,
    // A profile takes a moment to begin and to end.
    seconds: seconds + 1,
    warmupSeconds: wakeSeconds,
    seed: 1,
  });
  // It is awaited much later, and may fail before that.
  over.catch(() => undefined);
  return over;
}
