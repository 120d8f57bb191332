/** Checks that the database has the schema of this release, and migrates it where allowed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/error-message.ts';
import type { DatabaseConfig } from '../../config/config.ts';
import { describeError, type Logger } from '../../telemetry/log.ts';
import { isAway } from '../connection-lost.ts';
import { innermost, innermostCode, isOfConnecting, placeOf } from '../failure-reason.ts';
import { assertPooling } from '../pooling.ts';
import { awaitedError, needOf } from './awaited.ts';
import { type MigrationStatus, migrateUp, migrationStatus, schemaFault } from './migrate.ts';

export interface SchemaOptions {
  /** The connection for migrations and checks. */
  readonly database: DatabaseConfig;
  /** The connection for requests, perhaps a pooler in front of the same server. */
  readonly served: DatabaseConfig;
  readonly autoMigrate: boolean;
  readonly log: Logger;
}

const backOffFirstMs = 50;
const backOffMaxMs = 1000;
const databaseMissing = '3D000';
/** An administrator must act in the database: missing privileges, or a closed database. */
const mendedThere: readonly string[] = ['42501', '55000'];

/**
 * Rejects with an awaited Error that names the command or the statement when an operator must
 * prepare the database (awaited.ts). Rejects with a plain Error when the schema is newer than this
 * release, the database is down, or the pooler cannot be used.
 */
export async function bringSchemaUp(options: SchemaOptions): Promise<void> {
  const { database, served, autoMigrate, log } = options;
  const isThere = await assertPooling(served, database);
  if (autoMigrate) await migrateUp(database, log);
  else assertUpToDate(database, isThere ? await migrationStatus(database) : null);
  // Checked after creation: there was no database whose data could be harmed.
  if (!isThere) await assertPooling(served, database);
}

/**
 * As bringSchemaUp, but waits for a database that is down and for an operator who must prepare it.
 * The log reports the reason once, and the end of the wait. A refused password or a newer schema
 * ends the wait: only another configuration or release resolves them.
 */
export async function awaitSchema(options: SchemaOptions, onWait: () => void): Promise<void> {
  const { log } = options;
  let isDatabaseAway = false;
  let awaited: string | undefined;
  for (let waitMs = backOffFirstMs; ; waitMs = Math.min(waitMs * 2, backOffMaxMs)) {
    try {
      await bringSchemaUp(options);
      sayBack();
      if (awaited !== undefined) log.info('the schema is up to date');
      return;
    } catch (error) {
      const reason = messageOf(error);
      const cause = causeOf(error);
      if (cause === 'for good') throw error;
      if (cause === 'away') {
        if (!isDatabaseAway) log.warn('the database is away', { reason });
        isDatabaseAway = true;
      } else {
        sayBack();
        // Another process may be migrating, so the message changes with each step.
        const need = needOf(error) ?? reason;
        if (need !== awaited) log.warn('waiting until the database is prepared', { reason });
        awaited = need;
      }
      log.debug('the schema could not be checked', describeError(error));
      onWait();
    }
    await sleep(waitMs);
  }

  function sayBack(): void {
    if (isDatabaseAway) log.info('the database is back');
    isDatabaseAway = false;
  }
}

function causeOf(error: unknown): 'away' | 'awaited' | 'for good' {
  if (needOf(error) !== undefined || mendedThere.includes(innermostCode(error) ?? ''))
    return 'awaited';
  // An administrator or another process created it, and may be about to migrate it.
  if (innermostCode(error) === databaseMissing) return 'awaited';
  const first = innermost(error);
  return isAway(first) || isOfConnecting(first) ? 'away' : 'for good';
}

/** @param status `null`: the database does not exist. */
function assertUpToDate(database: DatabaseConfig, status: MigrationStatus | null): void {
  const what = `the database "${database.name}" at ${placeOf(database)}`;
  const how =
    'run "make db-migrate-up", without make "node dist/src/database/cli.js migrate-up", or set ' +
    'DB_AUTO_MIGRATE=true';
  const need = (message: string): Error => awaitedError(`${message}: ${how}`, undefined, 'schema');
  if (status === null) throw need(`${what} does not exist`);
  const { current, latest, state } = status;
  if (state === 'ready') return;
  if (state === 'missing') throw need(`${what} has no schema yet`);
  if (state !== 'behind') throw schemaFault(status);
  throw need(`the schema of ${what} is at version ${current}, this service needs ${latest}`);
}
