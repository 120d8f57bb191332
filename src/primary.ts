/**
 * The first process. It starts what is needed, in order, and stops it in the reverse order:
 * embedded database ▸ migrations ▸ front ends ▸ … ▸ not ready ▸ front ends ▸ embedded database.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, DatabaseConfig } from './config.ts';
import { idempotencyKeyHours } from './contract/limits.ts';
import { type EmbeddedDatabase, startEmbedded } from './database/embedded.ts';
import { type ExpiredKeys, removeExpiredKeysRegularly } from './database/expired-keys.ts';
import { type MigrationStatus, migrateUp, migrationStatus } from './database/migrate.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { findPort } from './port.ts';
import { describeError, type Logger } from './telemetry/log.ts';

/** `make` passes a signal on that the terminal has sent already: not the user's second one. */
const sameSignalMs = 300;

/** Resolves when everything runs; the process then lives until a signal ends it. */
export async function runPrimary(config: Config, log: Logger): Promise<void> {
  let embedded: EmbeddedDatabase | undefined;
  let startingEmbedded: Promise<EmbeddedDatabase> | undefined;
  let fleet: Fleet | undefined;
  let expiredKeys: ExpiredKeys | undefined;
  let stopping: Promise<void> | undefined;
  let firstSignalAt = 0;
  let serves = false;

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);

  try {
    const port = await findPort(config.port);
    if (config.database === null) {
      startingEmbedded = startEmbedded({ dataDir: config.dataDir, log });
      embedded = await startingEmbedded;
    }
    if (stopping !== undefined) return;
    const database = config.database ?? embedded!.config;
    await bringSchemaUp(database, config.autoMigrate, log);
    if (stopping !== undefined) return;
    fleet = createFleet({
      size: config.frontEnds,
      logLevel: config.logLevel,
      graceMs: config.shutdownGraceMs,
      log,
      frontEnd: {
        port,
        sharesPort: config.frontEnds > 1,
        database,
        batching: config.batching,
        redis: config.redis,
        cacheBytesMax: config.cacheBytesMax,
        shutdownGraceMs: config.shutdownGraceMs,
        corsOrigins: config.corsOrigins,
      },
    });
    await fleet.listening();
    if (stopping !== undefined) return;
    serves = true;
    expiredKeys = removeExpiredKeysRegularly({ database, hours: idempotencyKeyHours, log });
    const url = `http://localhost:${port}`;
    log.info('listening', {
      url,
      port,
      pid: process.pid,
      frontEnds: config.frontEnds,
      try: `curl -s ${url}/api/tasks -H 'Content-Type: application/json' -d '{"title":"Sample task"}'`,
    });
  } catch (error) {
    if (stopping === undefined) {
      log.error(error instanceof Error ? error.message : String(error));
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
      await expiredKeys?.stop();
      // A signal may come while it starts: its server would outlive us.
      await (embedded ?? (await startingEmbedded?.catch(() => undefined)))?.stop();
      log.info('stopped');
    } catch (error) {
      log.error('could not stop in order', describeError(error));
      code = 1;
    }
    process.exit(code);
  }
}

/** @throws an Error that names the command, when the schema is old and must not be touched. */
async function bringSchemaUp(
  database: DatabaseConfig,
  autoMigrate: boolean,
  log: Logger,
): Promise<void> {
  if (autoMigrate) {
    await migrateUp(database, log);
    return;
  }
  assertUpToDate(await migrationStatus(database));
}

function assertUpToDate({ current, latest, dirty, pending }: MigrationStatus): void {
  const problem = dirty
    ? 'was left half way by a migration that was interrupted'
    : (current ?? 0) > latest
      ? `is at version ${current}, newer than this service's ${latest}: run a newer release`
      : pending.length > 0
        ? `is at version ${current ?? 0}, this service needs ${latest}: run "make db-migrate-up", ` +
          'or set DB_AUTO_MIGRATE=true'
        : undefined;
  if (problem !== undefined) throw new Error(`the database's schema ${problem}`);
}
