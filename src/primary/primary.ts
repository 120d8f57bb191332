/**
 * The first process. It starts the parts in order and stops them in reverse: embedded database ▸
 * migrations ▸ front ends ▸ … ▸ not ready ▸ front ends ▸ embedded database. Front ends do not wait
 * for a database that is down: they answer 503 until the schema is up to date.
 */
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/error-message.ts';
import { describeAddresses } from '../config/bind-address.ts';
import type { Config } from '../config/config.ts';
import { idempotencyKeyHours } from '../contract/limits.ts';
import { tellConnections } from '../database/connection-limits.ts';
import { isOutOfReach } from '../database/connection-lost.ts';
import { type DefinitionWatch, watchDefinition } from '../database/maintenance/definition-watch.ts';
import {
  type ExpiredKeys,
  removeExpiredKeysRegularly,
} from '../database/maintenance/expired-keys.ts';
import { startTextIndexer, type TextIndexer } from '../database/maintenance/text-indexer.ts';
import { awaitSchema, bringSchemaUp, type SchemaOptions } from '../database/migrate/schema.ts';
import { type EmbeddedDatabase, startEmbedded } from '../embedded/embedded.ts';
import { createBackground } from '../telemetry/background.ts';
import { describeError, type Logger } from '../telemetry/log.ts';
import { warnOfOldRuntime } from '../telemetry/old-runtime.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { type Administration, openAdministration } from './operator-pages.ts';
import { findAddresses, findPort } from './port.ts';

/** `make` forwards a signal that the terminal has sent too: that is not a second Ctrl-C. */
const sameSignalMs = 300;
/** A database that is silent, or migrates for longer, does not delay the rest of the start. */
const schemaPatienceMs = 2000;

export interface PrimaryOptions {
  readonly config: Config;
  /** Secrets that no process may log. */
  readonly secrets: readonly string[];
  readonly log: Logger;
}

/** Resolves when everything runs; a signal ends the process later. */
export async function runPrimary({ config, secrets, log }: PrimaryOptions): Promise<void> {
  let embedded: EmbeddedDatabase | undefined;
  let startingEmbedded: Promise<EmbeddedDatabase> | undefined;
  let fleet: Fleet | undefined;
  let expiredKeys: ExpiredKeys | undefined;
  let textIndexer: TextIndexer | undefined;
  let definition: DefinitionWatch | undefined;
  let administration: Administration | undefined;
  let stopping: Promise<void> | undefined;
  let firstSignalAt = 0;
  let serves = false;
  /** Aborts the slow parts of a start. */
  const interruption = new AbortController();

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);

  try {
    const addresses = await findAddresses(config.bind);
    const port = await findPort(config.port, addresses);
    if (config.database === null) {
      startingEmbedded = startEmbedded({
        dataDir: config.dataDir,
        log,
        signal: interruption.signal,
      });
      embedded = await startingEmbedded;
    }
    if (stopping !== undefined) return;
    const database = config.database ?? embedded!.config;
    const direct = config.directDatabase ?? database;
    const options = { database: direct, served: database, autoMigrate: config.autoMigrate, log };
    const schema = prepareSchema(options, embedded !== undefined);
    const background = createBackground(log, isOutOfReach);
    administration = openAdministration({
      config,
      port,
      addresses,
      database: direct,
      log,
      fleet: () => fleet,
      background,
      definition: () => definition?.state(),
    });
    await schema.begun;
    if (stopping !== undefined) return;
    fleet = createFleet({
      page: administration.page,
      metricFolder: administration.metricFolder,
      size: config.frontEnds,
      logLevel: config.logLevel,
      secrets,
      graceMs: config.shutdownGraceMs,
      log,
      frontEnd: {
        port,
        addresses,
        sharesPort: config.frontEnds > 1,
        database,
        connections: config.connections.perFrontEnd,
        connectionIdleMs: config.connectionIdleMs,
        batching: config.batching,
        redis: config.redis,
        cacheBytesMax: config.cacheBytesMax,
        shutdownGraceMs: config.shutdownGraceMs,
        corsOrigins: config.corsOrigins,
        corsHeaders: config.corsHeaders,
        hostBasePath: config.hostBasePath,
        profiles: config.pprofEnabled,
        adminPaths: administration.paths,
        access: administration.access,
        slowRequestMs: config.slowRequestMs,
        serverTiming: config.serverTiming,
        uwsBuild: config.uwsBuild,
      },
    });
    // Usually the schema is ready already, and the front ends never see a wait.
    schema.ready.then(fleet.open, () => undefined);
    await fleet.listening();
    if (stopping !== undefined) return;
    serves = true;
    const url = `http://${nameOf(addresses)}:${port}`;
    log.info('listening', {
      url,
      port,
      on: describeAddresses(addresses),
      pid: process.pid,
      frontEnds: config.frontEnds,
      node: process.version,
      httpServer: fleet.httpServer(),
      ...(config.pprofEnabled && config.profilesOpenLocally
        ? { profiles: `${url}/debug/pprof/, for this machine alone` }
        : {}),
      try: `curl -s ${url}/api/tasks -H 'Content-Type: application/json' -d '{"title":"Sample task"}'`,
    });
    warnOfOldRuntime(fleet.httpServer(), log);
    await schema.ready;
    if (stopping !== undefined) return;
    void tellConnections(direct, config.connections, log);
    expiredKeys = removeExpiredKeysRegularly({
      database: direct,
      hours: idempotencyKeyHours,
      work: background.work('keys'),
    });
    textIndexer = startTextIndexer({ database: direct, work: background.work('texts') });
    definition = watchDefinition({ database: direct, log, work: background.work('tables') });
  } catch (error) {
    if (stopping === undefined) {
      log.error(messageOf(error));
      log.debug('the start failed', describeError(error));
      await stop(1);
    }
  }

  function onSignal(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (stopping === undefined) {
      firstSignalAt = now;
      log.info('stopping', { signal });
      void stop(0);
    } else if (now - firstSignalAt > sameSignalMs) {
      log.warn('stopped at once by a second signal', { signal });
      fleet?.kill();
      process.exit(1);
    }
  }

  function stop(exitCode: number): Promise<void> {
    interruption.abort(new Error('the service is to stop'));
    stopping ??= stopInOrder(exitCode);
    return stopping;
  }

  async function stopInOrder(exitCode: number): Promise<void> {
    let code = exitCode;
    try {
      if (serves && config.shutdownDelayMs > 0) {
        fleet?.drain();
        await sleep(config.shutdownDelayMs);
      }
      await fleet?.stop();
      await Promise.all([expiredKeys?.stop(), textIndexer?.stop(), definition?.stop()]);
      await administration?.close();
      // A signal may arrive during the start of the server, which would outlive this process.
      await (embedded ?? (await startingEmbedded?.catch(() => undefined)))?.stop();
      log.info('stopped');
    } catch (error) {
      log.error('could not stop in order', describeError(error));
      code = 1;
    }
    process.exit(code);
  }
}

/** A host name with which a client on this machine reaches the first address. */
function nameOf([address = '']: readonly string[]): string {
  if (['127.0.0.1', '::1', '0.0.0.0', '::'].includes(address)) return 'localhost';
  return isIPv6(address) ? `[${address.replace('%', '%25')}]` : address;
}

interface Preparation {
  /** Resolves when the schema is ready, or when nothing is left to do but wait for it. */
  readonly begun: Promise<void>;
  readonly ready: Promise<void>;
}

/** @param isOurs an embedded database exists, or the start has failed. */
function prepareSchema(options: SchemaOptions, isOurs: boolean): Preparation {
  if (isOurs) {
    const ready = bringSchemaUp(options);
    return { ready, begun: ready };
  }
  let tellAway = (): void => undefined;
  const away = new Promise<void>((resolve) => {
    tellAway = resolve;
    setTimeout(resolve, schemaPatienceMs).unref();
  });
  const ready = awaitSchema(options, tellAway);
  return { ready, begun: Promise.race([ready, away]) };
}
