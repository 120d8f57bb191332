/** A server that does not have our database yet: an embedded or a fresh one. */
import type { DatabaseConfig } from '../config.ts';
import type { Logger } from '../telemetry/log.ts';
import { isServerError, withSession } from './session.ts';

const databaseMissing = '3D000';
const alreadyThere: readonly string[] = ['42P04', '23505'];
const timeoutMs = 60_000;

/** Does nothing where the database is there. Rejects when the server does not answer. */
export async function createDatabaseIfMissing(
  database: DatabaseConfig,
  log: Logger,
): Promise<void> {
  if (await exists(database)) return;
  await withSession({ ...database, name: 'postgres' }, timeoutMs, async (sql) => {
    try {
      await sql`CREATE DATABASE ${sql(database.name)}`;
      log.info('created the database', { name: database.name });
    } catch (error) {
      // Another process may have been quicker.
      if (!isServerError(error) || !alreadyThere.includes(error.code)) throw error;
    }
  });
}

async function exists(database: DatabaseConfig): Promise<boolean> {
  try {
    await withSession(database, timeoutMs, (sql) => sql`SELECT 1`);
    return true;
  } catch (error) {
    if (isServerError(error) && error.code === databaseMissing) return false;
    throw error;
  }
}
