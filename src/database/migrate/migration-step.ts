/**
 * One step between two versions of the schema: one message of the simple query protocol, which
 * PostgreSQL runs as one transaction (manual, "Multiple Statements in a Simple Query").
 */
import type { Client } from '../client.ts';
import { isServerError } from '../session.ts';
import { settingsText, transactionSettings } from '../session-settings.ts';
import { advisoryLockId } from './migration-lock.ts';

export interface Step {
  /** `null`: no migration has run. */
  readonly from: number | null;
  readonly to: number | null;
  /** The migration's name, for messages. */
  readonly name: string;
  readonly text: string;
  /** SQL that runs before the migration, in the same transaction. */
  readonly preparation?: string;
}

/** A private SQLSTATE: the recorded version is not `from`. */
const versionMoved = 'TM001';
const lockWaitMax = '5min';
/** No statement timeout, also behind a pooler that keeps no session settings. */
const settings = settingsText(transactionSettings({ statementTimeoutMs: 0 }), 'transaction');

/**
 * @returns false when another process had changed the version, so that nothing was done.
 * @throws an Error that names file, line and reason.
 */
export async function runStep(sql: Client, step: Step): Promise<boolean> {
  const lock = advisoryLockId(await currentNames(sql));
  const before = prologue(step, lock);
  try {
    await sql.unsafe(before + step.text + epilogue(step)).simple();
    return true;
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (error.code === versionMoved) return false;
    const place = lineOf(error, before, step.text);
    throw new Error(`migration ${step.name} failed${place}: ${error.message}; nothing changed`, {
      cause: error,
    });
  }
}

function prologue({ from, preparation = '' }: Step, lock: string): string {
  return `
    ${settings};
    SET LOCAL lock_timeout = '${lockWaitMax}';
    SELECT pg_advisory_xact_lock(${lock});
    CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
    DO $$ BEGIN
      IF (SELECT max(version) FROM schema_migrations) IS DISTINCT FROM ${from ?? 'NULL'}::bigint
        OR EXISTS (SELECT FROM schema_migrations WHERE dirty) THEN
        RAISE EXCEPTION 'the version has moved' USING ERRCODE = '${versionMoved}';
      END IF;
    END $$;
    ${preparation}`;
}

/** DELETE, not TRUNCATE: concurrent readers of the version neither wait nor find none. */
function epilogue({ to }: Step): string {
  const record =
    to === null ? '' : `INSERT INTO schema_migrations (version, dirty) VALUES (${to}, false);`;
  return `\n;DELETE FROM schema_migrations;${record}`;
}

async function currentNames(sql: Client): Promise<{ database: string; schema: string }> {
  const [names] = await sql<{ database: string; schema: string }[]>`
    SELECT current_database() AS database, current_schema() AS schema`;
  return names!;
}

/** The server counts code points from 1, over the whole message. */
function lineOf(error: object, before: string, text: string): string {
  const position = Number((error as { position?: string }).position ?? 0);
  const place = position - 1 - before.length;
  const characters = [...text];
  if (place < 0 || place >= characters.length) return '';
  return ` in line ${characters.slice(0, place).filter((c) => c === '\n').length + 1}`;
}
