/** Creates the database on a server that does not have it: an embedded or a new one. */
import type { DatabaseConfig } from '../../config/config.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Client } from '../client.ts';
import { innermostCode, quoted } from '../failure-reason.ts';
import { isServerError, withSession } from '../session.ts';
import { awaitedError } from './awaited.ts';

const databaseMissing = '3D000';
const alreadyThere: readonly string[] = ['42P04', '23505'];
const insufficientPrivilege = '42501';
/** The server is too old for the option, or its system lacks the locale. */
const localeMissing: readonly string[] = ['42601', '42809', '22023', '0A000'];
const timeoutMs = 60_000;

/**
 * The first locale that the server has is used. Collation is by code point, so no index depends on
 * a version of the system's locales. LC_CTYPE defines letters: without UTF-8, pg_trgm finds only
 * ASCII words, and searches for others scan every task.
 */
const locales: readonly string[] = [
  // PostgreSQL 17 and newer.
  "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
  "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
  // Some systems use this name.
  "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C.utf8'",
  "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'en_US.UTF-8'",
  "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'",
];

/** Does nothing if the database exists. Rejects when the server does not answer. */
export async function createDatabaseIfMissing(
  database: DatabaseConfig,
  log: Logger,
): Promise<void> {
  if (await exists(database)) return;
  await withSession({ ...database, name: 'postgres' }, timeoutMs, async (sql) => {
    try {
      await createDatabase(sql, database.name);
      log.info('created the database', { name: database.name });
    } catch (error) {
      if (!isServerError(error)) throw error;
      // Another process may have created it meanwhile.
      if (alreadyThere.includes(error.code)) return;
      throw error.code === insufficientPrivilege ? mayNotCreate(database, error) : error;
    }
  });
}

async function createDatabase(sql: Client, name: string): Promise<void> {
  for (const [place, locale] of locales.entries()) {
    try {
      await sql`CREATE DATABASE ${sql(name)} TEMPLATE template0 ENCODING 'UTF8' ${sql.unsafe(locale)}`;
      return;
    } catch (error) {
      const isLast = place === locales.length - 1;
      if (isLast || !isServerError(error) || !localeMissing.includes(error.code)) throw error;
    }
  }
}

function mayNotCreate({ name, user }: DatabaseConfig, cause: unknown): Error {
  return awaitedError(
    `there is no database "${name}", and the role "${user}" may not create one: have an ` +
      `administrator run CREATE DATABASE ${quoted(name)} OWNER ${quoted(user)} TEMPLATE template0 ` +
      "ENCODING 'UTF8'",
    cause,
  );
}

async function exists(database: DatabaseConfig): Promise<boolean> {
  try {
    await withSession(database, timeoutMs, (sql) => sql`SELECT 1`);
    return true;
  } catch (error) {
    if (innermostCode(error) === databaseMissing) return false;
    throw error;
  }
}
