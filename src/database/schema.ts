/** Whether the database has the schema that this service needs; brings it there where it may. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../config.ts';
import { describeError, type Logger } from '../telemetry/log.ts';
import { errorCode, isAway } from './connection-lost.ts';
import { type MigrationStatus, migrateUp, migrationStatus } from './migrate.ts';
import { assertPooling } from './pooling.ts';

export interface SchemaOptions {
  /** What migrates and checks. */
  readonly database: DatabaseConfig;
  /** What requests will use, perhaps a pooler in front of the same server. */
  readonly served: DatabaseConfig;
  readonly autoMigrate: boolean;
  readonly log: Logger;
}

const backOffFirstMs = 50;
const backOffMaxMs = 1000;

/**
 * Rejects with an Error that names the command, when the schema is old and must not be touched;
 * with one that says what is wrong, when it is newer or damaged, the database is away, or what stands
 * in front of it cannot be used.
 */
export async function bringSchemaUp(options: SchemaOptions): Promise<void> {
  const { database, served, autoMigrate, log } = options;
  const isThere = await assertPooling(served, database);
  if (autoMigrate) await migrateUp(database, log);
  else assertUpToDate(await migrationStatus(database));
  // There was nothing that could be harmed.
  if (!isThere) await assertPooling(served, database);
}

/** The same, but waits for a database that is away. The log says when it is, and when it is back. */
export async function awaitSchema(options: SchemaOptions, onAway: () => void): Promise<void> {
  const { log } = options;
  let away = false;
  for (let waitMs = backOffFirstMs; ; waitMs = Math.min(waitMs * 2, backOffMaxMs)) {
    try {
      await bringSchemaUp(options);
      if (away) log.info('the database is back');
      return;
    } catch (error) {
      if (!isAway(innermost(error))) throw error;
      if (!away) {
        log.warn('the database is away', { reason: reasonOf(error) });
        log.debug('the schema could not be looked at', describeError(error));
      }
      away = true;
      onAway();
    }
    await sleep(waitMs);
  }
}

/** Sessions and migrations say where it happened, around what happened. */
function innermost(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined || errorCode(error) !== undefined ? error : innermost(cause);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
