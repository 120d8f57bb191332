/**
 * Plain SQL migrations, compatible with the tool `migrate/migrate`: the same file names, the same
 * table `schema_migrations`, the same advisory lock.
 *
 * A step is one message and so one transaction (migration-step.ts): it takes effect or not, and
 * depends on no session. When two processes run it at once, one waits for the other and finds it
 * done.
 */
import type { DatabaseConfig } from '../../config/config.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Client } from '../client.ts';
import { withSession } from '../session.ts';
import { awaitedError } from './awaited.ts';
import { createDatabaseIfMissing } from './create-database.ts';
import { assertUtf8 } from './encoding.ts';
import { dropLeftovers } from './leftovers.ts';
import { runStep, type Step } from './migration-step.ts';
import { type Migration, readMigrations } from './migrations.ts';
import { explainMissing } from './prerequisites.ts';
import { isOfReplacedFiles, replacedMessage } from './replaced-files.ts';

export type SchemaState =
  | 'ready'
  /** No migration has run. */
  | 'missing'
  | 'behind'
  /** Another tool's migration is running, or was interrupted. */
  | 'dirty'
  /** The database's version is newer than the files. */
  | 'newer'
  /** Made by earlier migration files that were replaced (replaced-files.ts). */
  | 'replaced'
  /** No file has the database's version. */
  | 'unknown';

export interface MigrationStatus {
  readonly state: SchemaState;
  /** `null`: no migration has run. */
  readonly current: number | null;
  /** The newest version of the files. */
  readonly latest: number;
  /** Another tool's migration was interrupted. */
  readonly dirty: boolean;
  /** The names of the pending migrations, in order. */
  readonly pending: readonly string[];
}

/** Migrations have no statement timeout. */
const noTimeout = 0;

/**
 * Runs all pending migrations. Creates the database if it is missing.
 * @param directory of the migration files; default: `sql/migrations`.
 * @returns the number of migrations that this call ran.
 * @throws an Error that says what to do: the schema is dirty or newer than the files, or a
 * migration failed. A failed migration has no effect.
 */
export async function migrateUp(
  database: DatabaseConfig,
  log: Logger,
  directory?: URL,
): Promise<number> {
  await createDatabaseIfMissing(database, log);
  return withSession(database, noTimeout, async (sql) => {
    await assertUtf8(sql);
    const migrations = readMigrations(directory);
    let ran = 0;
    for (;;) {
      const recorded = await readVersion(sql);
      assertClean(recorded, migrations);
      const { version } = recorded;
      const next = migrations.find((migration) => migration.version > (version ?? 0));
      if (next === undefined) return ran;
      const step: Step = {
        from: version,
        to: next.version,
        name: next.name,
        text: next.up,
        ...(version === null ? { preparation: dropLeftovers(migrations) } : {}),
      };
      if (!(await runStepOn(database, sql, step))) continue;
      log.info('migrated', { migration: next.name });
      ran++;
    }
  });
}

/**
 * Reverts the last `steps` migrations and deletes the data in their tables.
 * @returns the number of reverted migrations. Throws as migrateUp does.
 */
export async function migrateDown(
  database: DatabaseConfig,
  log: Logger,
  steps = 1,
  directory?: URL,
): Promise<number> {
  return withSession(database, noTimeout, async (sql) => {
    await assertUtf8(sql);
    const migrations = readMigrations(directory);
    let ran = 0;
    while (ran < steps) {
      const recorded = await readVersion(sql);
      assertClean(recorded, migrations);
      const { version } = recorded;
      if (version === null) return ran;
      const place = migrations.findIndex((migration) => migration.version === version);
      const { name, down } = migrations[place]!;
      const before = migrations[place - 1]?.version ?? null;
      const step: Step = { from: version, to: before, name, text: down };
      if (!(await runStepOn(database, sql, step))) continue;
      log.info('migrated down', { migration: name });
      ran++;
    }
    return ran;
  });
}

/** Reads only. Rejects when the database does not answer. */
export async function migrationStatus(
  database: DatabaseConfig,
  directory?: URL,
): Promise<MigrationStatus> {
  return withSession(database, noTimeout, async (sql) => {
    await assertUtf8(sql);
    return statusOf(await readVersion(sql), readMigrations(directory));
  });
}

async function runStepOn(database: DatabaseConfig, sql: Client, step: Step): Promise<boolean> {
  try {
    return await runStep(sql, step);
  } catch (error) {
    throw await explainMissing(sql, database, error);
  }
}

interface Recorded {
  readonly version: number | null;
  readonly dirty: boolean;
  /** The schema has tables of this service. */
  readonly isOurs: boolean;
}

async function readVersion(sql: Client): Promise<Recorded> {
  const [tables] = await sql<{ found: boolean; isOurs: boolean }[]>`
    SELECT to_regclass('schema_migrations') IS NOT NULL AS found,
      to_regclass('tasks_state') IS NOT NULL AS "isOurs"`;
  const { found, isOurs } = tables!;
  if (!found) return { version: null, dirty: false, isOurs };
  const [row] = await sql<{ version: string; dirty: boolean }[]>`
    SELECT version, dirty FROM schema_migrations LIMIT 1`;
  return row === undefined
    ? { version: null, dirty: false, isOurs }
    : { version: Number(row.version), dirty: row.dirty, isOurs };
}

/**
 * @returns an Error that says what to do about a schema that cannot be migrated. The service waits
 * on a dirty schema, because the other tool sets the mark while it runs. It also waits on replaced
 * files, because one statement resolves that.
 */
export function schemaFault({ current, latest, state }: MigrationStatus): Error {
  switch (state) {
    case 'dirty':
      return awaitedError(
        `migration ${current} is under way, or was interrupted half way, by another tool ` +
          '(schema_migrations.dirty): if nothing runs, repair the schema by hand, then set dirty to false',
      );
    case 'replaced':
      return awaitedError(replacedMessage(current!));
    case 'newer':
      return new Error(
        `the database's schema is at version ${current}, newer than this service's ${latest}: ` +
          'run the release that made it, or a newer one',
      );
    default:
      return new Error(
        `the database's schema is at version ${current}, and there is no migration file of it`,
      );
  }
}

function assertClean(recorded: Recorded, migrations: readonly Migration[]): void {
  const status = statusOf(recorded, migrations);
  if (['dirty', 'newer', 'replaced', 'unknown'].includes(status.state)) throw schemaFault(status);
}

function statusOf(recorded: Recorded, migrations: readonly Migration[]): MigrationStatus {
  const { version, dirty } = recorded;
  const latest = migrations.at(-1)?.version ?? 0;
  const state = stateOf(recorded, migrations);
  // The replaced files already made the schema of these migrations.
  const pending =
    state === 'replaced' ? [] : migrations.filter((one) => one.version > (version ?? 0));
  return { state, current: version, latest, dirty, pending: pending.map(({ name }) => name) };
}

function stateOf(recorded: Recorded, migrations: readonly Migration[]): SchemaState {
  const { version, dirty, isOurs } = recorded;
  const latest = migrations.at(-1)?.version ?? 0;
  if (dirty) return 'dirty';
  if (version === null) return latest === 0 ? 'ready' : 'missing';
  if (version > latest) return 'newer';
  if (migrations.every((migration) => migration.version !== version))
    return isOfReplacedFiles(version, isOurs) ? 'replaced' : 'unknown';
  return version === latest ? 'ready' : 'behind';
}
