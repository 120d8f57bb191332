/** Real forked front ends, with this process as their primary. */
import cluster from 'node:cluster';
import { resolve } from 'node:path';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createFleet, type Fleet } from '../../src/primary/fleet.ts';
import { freePort } from './free-port.ts';
import { silentLog } from './postgres.ts';

export interface TestFleet {
  readonly fleet: Fleet;
  readonly port: number;
  /** The pids of the running front ends. */
  pids(): number[];
}

/** Two front ends with a worker thread each; every batch goes to it. One fleet per process. */
export async function startFleet(database: DatabaseConfig): Promise<TestFleet> {
  cluster.setupPrimary({ exec: resolve(import.meta.dirname, '../../src/main.js') });
  const port = await freePort();
  const fleet = createFleet({
    size: 2,
    logLevel: 'error',
    secrets: [],
    graceMs: 3000,
    log: silentLog,
    metricFolder: null,
    page: () => Promise.reject(new Error('there are no pages')),
    frontEnd: {
      port,
      addresses: ['127.0.0.1'],
      sharesPort: true,
      hostBasePath: 'localhost:8080',
      database,
      connections: { ownGeneration: true, local: 7, worker: 7 },
      connectionIdleMs: 0,
      batching: {
        offloadMinBatch: 0,
        batchMax: 128,
        queueMax: 4096,
        queueWaitMaxMs: 10_000,
        requestTimeoutMs: 10_000,
        workerThreads: 1,
      },
      redis: null,
      cacheBytesMax: 0,
      shutdownGraceMs: 3000,
      corsOrigins: [],
      corsHeaders: [],
      profiles: true,
      adminPaths: { metricsPath: null, hasProfiles: false },
      access: {
        credentials: { username: 'admin', password: 'admin' },
        profilesOpenLocally: false,
      },
      slowRequestMs: 0,
      serverTiming: false,
      uwsBuild: 'auto',
    },
  });
  fleet.open();
  await fleet.listening();
  return {
    fleet,
    port,
    pids: () => Object.values(cluster.workers ?? {}).map((worker) => worker!.process.pid!),
  };
}
