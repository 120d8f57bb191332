/** The primary's pages for operators: metrics and profiles of all processes, and their port. */
import type { AccessOptions } from '../admin/access.ts';
import { createAccess } from '../admin/access.ts';
import type { AdminPage } from '../admin/admin-page.ts';
import { type AdminPaths, createAdminPages } from '../admin/admin-pages.ts';
import { type AdminServer, startAdminServer } from '../admin/server.ts';
import { describeAddresses } from '../config/bind-address.ts';
import type { Config, DatabaseConfig } from '../config/config.ts';
import type { DefinitionState } from '../database/maintenance/definition-watch.ts';
import { createTaskCounts } from '../database/maintenance/task-counts.ts';
import { isAlive } from '../embedded/processes.ts';
import type { Background } from '../telemetry/background.ts';
import { describeError, type Logger } from '../telemetry/log.ts';
import { type MetricFolder, makeMetricFolder } from '../telemetry/metrics/folder.ts';
import { createPrimaryMetrics } from '../telemetry/metrics/primary-metrics.ts';
import { openFilesMax } from '../telemetry/open-files.ts';
import { createPprofPages } from '../telemetry/pprof/pages.ts';
import type { Fleet } from './fleet.ts';

export interface AdministrationOptions {
  readonly config: Config;
  /** The port of the API, which has the same pages. */
  readonly port: number;
  readonly addresses: readonly string[];
  readonly database: DatabaseConfig;
  readonly log: Logger;
  /** `undefined` until it exists. */
  readonly fleet: () => Pick<Fleet, 'ask' | 'httpServer' | 'restarts'> | undefined;
  readonly background: Background;
  /** `undefined` until it exists. */
  readonly definition: () => DefinitionState | undefined;
}

export interface Administration {
  readonly page: AdminPage;
  readonly paths: AdminPaths;
  readonly access: AccessOptions;
  /** The folder of the front ends' metric files; `null`: metrics are off. */
  readonly metricFolder: string | null;
  close(): Promise<void>;
}

const connectionsMax = 256;
/** The share of the primary's descriptors; it needs others for its database and for forks. */
const connectionsShareMax = 1 / 4;

function filesMax(): number {
  return openFilesMax() ?? Number.POSITIVE_INFINITY;
}

/** Also opens the port. A failure is logged and does not end the service. */
export function openAdministration(options: AdministrationOptions): Administration {
  const { config, log } = options;
  const folder = config.metrics.isEnabled ? makeFolder(log) : undefined;
  const counts = createTaskCounts(options.database);
  const metrics =
    folder === undefined
      ? undefined
      : createPrimaryMetrics({
          folder: folder.path,
          frontEnds: config.frontEnds,
          workerThreads: config.batching.workerThreads,
          restarts: (number) => options.fleet()?.restarts(number) ?? 0,
          httpServer: () => options.fleet()?.httpServer() ?? '',
          countTasks: counts.read,
          backgroundWorks: options.background.states,
          definition: options.definition,
        });
  const profiles = config.pprofEnabled
    ? createPprofPages({
        fleet: {
          ask: (...question) =>
            options.fleet()?.ask(...question) ?? Promise.reject(new Error('there is no fleet yet')),
        },
      })
    : undefined;
  const paths: AdminPaths = {
    metricsPath: metrics === undefined ? null : config.metrics.path,
    hasProfiles: profiles !== undefined,
  };
  const page = createAdminPages({
    metricsPath: config.metrics.path,
    metrics: metrics?.page,
    profiles: profiles?.page,
  });
  const access: AccessOptions = {
    credentials: config.metrics,
    profilesOpenLocally: config.profilesOpenLocally,
  };
  const what = [
    ...(metrics === undefined ? [] : ['metrics']),
    ...(profiles === undefined ? [] : ['profiles']),
  ].join(' and ');
  const server = openPort();

  /** Opens nothing without pages, or if they share the port of the API. */
  function openPort(): AdminServer | undefined {
    if (metrics === undefined && profiles === undefined) return undefined;
    const { port } = config.metrics;
    if (port !== 0 && port === options.port) return undefined;
    return startAdminServer({
      port,
      addresses: options.addresses,
      connectionsMax: Math.min(connectionsMax, Math.ceil(filesMax() * connectionsShareMax)),
      page,
      isAllowed: createAccess(access),
      onListening: (listening) =>
        log.info(`${what} are served`, {
          port: listening,
          on: describeAddresses(options.addresses),
        }),
      onFailure: ({ code }, address) =>
        log.error(`the port of ${what} cannot be opened and is retried`, {
          port,
          address,
          code,
        }),
    });
  }

  return {
    page,
    paths,
    access,
    metricFolder: folder?.path ?? null,
    async close() {
      server?.close();
      metrics?.close();
      profiles?.close();
      await counts.close();
      folder?.remove();
    },
  };
}

function makeFolder(log: Logger): MetricFolder | undefined {
  try {
    return makeMetricFolder(isAlive);
  } catch (error) {
    log.error('there is no folder for metrics, so there are none', describeError(error));
    return undefined;
  }
}
