/**
 * Plain SQL migrations, compatible with the tool `migrate/migrate`: the same file names, the same
 * table `schema_migrations`, the same advisory lock.
 *
 * A step is one message of the simple query protocol (lock, check, file, new version), which
 * PostgreSQL runs as one transaction. It happens or it does not, nothing depends on a session,
 * and of two processes at once one does it while the other waits and then finds it done.
 */
import type { DatabaseConfig } from '../config.ts';
import type { Logger } from '../telemetry/log.ts';
import { type Client, createClient } from './client.ts';
import { createDatabaseIfMissing } from './create-database.ts';
import { advisoryLockId } from './migration-lock.ts';
import { type Migration, readMigrations } from './migrations.ts';

export interface MigrationStatus {
  /** `null`: no migration has run. */
  readonly current: number | null;
  /** The newest version among the files. */
  readonly latest: number;
  /** A migration of another tool was interrupted half way. */
  readonly dirty: boolean;
  /** Names of the migrations that are still to run, in order. */
  readonly pending: readonly string[];
}

/** SQLSTATE of our own: the recorded version is not the one that the step was made for. */
const versionMoved = 'TM001';
const lockWaitMax = '5min';

/**
 * Runs what is pending; creates the database itself where it is missing.
 * @param directory where the files are; default: `sql/migrations`.
 * @returns how many migrations this call ran.
 * @throws an Error that says what to do: dirty, newer than the files, or a failing migration,
 *   after which the database is as it was before that migration.
 */
export async function migrateUp(
  database: DatabaseConfig,
  log: Logger,
  directory?: URL,
): Promise<number> {
  await createDatabaseIfMissing(database, log);
  return withClient(database, async (sql) => {
    const migrations = readMigrations(directory);
    let ran = 0;
    for (;;) {
      const { version, dirty } = await readVersion(sql);
      assertClean(version, dirty, migrations);
      const next = migrations.find((migration) => migration.version > (version ?? 0));
      if (next === undefined) return ran;
      if (await runStep(sql, version, next.version, next.name, next.up)) {
        log.info('migrated', { migration: next.name });
        ran++;
      }
    }
  });
}

/** Takes back the last `steps` migrations. @returns how many were taken back. */
export async function migrateDown(
  database: DatabaseConfig,
  log: Logger,
  steps = 1,
  directory?: URL,
): Promise<number> {
  return withClient(database, async (sql) => {
    const migrations = readMigrations(directory);
    let ran = 0;
    while (ran < steps) {
      const { version, dirty } = await readVersion(sql);
      assertClean(version, dirty, migrations);
      const place = migrations.findIndex((migration) => migration.version === version);
      const last = migrations[place];
      if (last === undefined) return ran;
      const before = migrations[place - 1]?.version ?? null;
      if (await runStep(sql, version, before, last.name, last.down)) {
        log.info('migrated down', { migration: last.name });
        ran++;
      }
    }
    return ran;
  });
}

/** Changes nothing. Rejects when the database does not answer. */
export async function migrationStatus(
  database: DatabaseConfig,
  directory?: URL,
): Promise<MigrationStatus> {
  return withClient(database, async (sql) => {
    const migrations = readMigrations(directory);
    const { version, dirty } = await readVersion(sql);
    return {
      current: version,
      latest: migrations.at(-1)?.version ?? 0,
      dirty,
      pending: migrations
        .filter((migration) => migration.version > (version ?? 0))
        .map((migration) => migration.name),
    };
  });
}

async function withClient<Result>(
  database: DatabaseConfig,
  use: (sql: Client) => Promise<Result>,
): Promise<Result> {
  const sql = createClient(database, {
    max: 1,
    applicationName: 'tasks migrate',
    statementTimeoutMs: 0,
  });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function readVersion(sql: Client): Promise<{ version: number | null; dirty: boolean }> {
  const [table] = await sql<{ found: boolean }[]>`
    SELECT to_regclass('schema_migrations') IS NOT NULL AS found`;
  if (table?.found !== true) return { version: null, dirty: false };
  const [row] = await sql<{ version: string; dirty: boolean }[]>`
    SELECT version, dirty FROM schema_migrations LIMIT 1`;
  return row === undefined
    ? { version: null, dirty: false }
    : { version: Number(row.version), dirty: row.dirty };
}

function assertClean(
  version: number | null,
  dirty: boolean,
  migrations: readonly Migration[],
): void {
  if (dirty) {
    throw new Error(
      `migration ${version} was interrupted half way by another tool (schema_migrations.dirty): ` +
        'repair the schema by hand, then set dirty to false',
    );
  }
  const latest = migrations.at(-1)?.version ?? 0;
  if ((version ?? 0) > latest) {
    throw new Error(
      `the database's schema is at version ${version}, newer than this service's ${latest}: ` +
        'run the release that made it, or a newer one',
    );
  }
}

/** @returns false when another process moved the version first, so that nothing was done. */
async function runStep(
  sql: Client,
  from: number | null,
  to: number | null,
  name: string,
  text: string,
): Promise<boolean> {
  const lock = advisoryLockId(await currentNames(sql));
  const prologue = `
    SET LOCAL lock_timeout = '${lockWaitMax}';
    SELECT pg_advisory_xact_lock(${lock});
    CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
    DO $$ BEGIN
      IF (SELECT max(version) FROM schema_migrations) IS DISTINCT FROM ${from ?? 'NULL'}::bigint THEN
        RAISE EXCEPTION 'the version has moved' USING ERRCODE = '${versionMoved}';
      END IF;
    END $$;
    `;
  const epilogue = `
    ;TRUNCATE schema_migrations;
    ${to === null ? '' : `INSERT INTO schema_migrations (version, dirty) VALUES (${to}, false);`}`;
  try {
    await sql.unsafe(prologue + text + epilogue).simple();
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === versionMoved) return false;
    throw new Error(`migration ${name} failed${describe(error, prologue, text)}; nothing changed`, {
      cause: error,
    });
  }
}

async function currentNames(sql: Client): Promise<{ database: string; schema: string }> {
  const [names] = await sql<{ database: string; schema: string }[]>`
    SELECT current_database() AS database, current_schema() AS schema`;
  return names!;
}

/** The server counts positions in characters from 1, over the whole message. */
function describe(error: unknown, prologue: string, text: string): string {
  const { message, position } = error as { message?: string; position?: string };
  const offset = Number(position ?? 0) - 1 - prologue.length;
  if (!(offset >= 0 && offset < text.length)) return `: ${message}`;
  return ` in line ${text.slice(0, offset).split('\n').length}: ${message}`;
}
