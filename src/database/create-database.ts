/** A server that does not have our database yet: an embedded or a fresh one. */
import type { DatabaseConfig } from '../config.ts';
import type { Logger } from '../telemetry/log.ts';
import { createClient } from './client.ts';

const databaseMissing = '3D000';
const alreadyThere: readonly unknown[] = ['42P04', '23505'];

/** Does nothing where the database is there. Rejects when the server does not answer. */
export async function createDatabaseIfMissing(
  database: DatabaseConfig,
  log: Logger,
): Promise<void> {
  if (await exists(database)) return;
  const sql = open({ ...database, name: 'postgres' });
  try {
    await sql`CREATE DATABASE ${sql(database.name)}`;
    log.info('created the database', { name: database.name });
  } catch (error) {
    // Another process may have been quicker.
    if (!alreadyThere.includes((error as { code?: unknown }).code)) throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function exists(database: DatabaseConfig): Promise<boolean> {
  const sql = open(database);
  try {
    await sql`SELECT 1`;
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === databaseMissing) return false;
    throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function open(database: DatabaseConfig) {
  return createClient(database, {
    max: 1,
    applicationName: 'tasks migrate',
    statementTimeoutMs: 60_000,
  });
}
