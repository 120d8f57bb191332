/**
 * Lets a build with the migration files 001 to 007 start. They made the same schema as their
 * replacements, under another version number, which a service checks at its start.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { withSession } from '../../src/database/session.ts';

const timeoutMs = 10_000;

/** @param program `dist/src/main.js` of that build. */
export async function withNumberOf<T>(
  database: DatabaseConfig,
  program: string,
  start: () => Promise<T>,
): Promise<T> {
  const former = resolve(program, '../../../sql/migrations/007_stored_answers.up.sql');
  if (!existsSync(former)) return start();
  const setVersion = (from: number, to: number) =>
    withSession(
      database,
      timeoutMs,
      (sql) => sql`UPDATE schema_migrations SET version = ${to} WHERE version = ${from}`,
    );
  await setVersion(60, 7);
  try {
    return await start();
  } finally {
    await setVersion(7, 60);
  }
}
