/**
 * Plain SQL migrations, compatible with the tool `migrate/migrate`: the same file names, the same
 * table `schema_migrations`, the same advisory lock.
 *
 * A step is one message, so one transaction (migration-step.ts). It happens or it does not, nothing
 * depends on a session, and of two processes at once one does it while the other waits and then
 * finds it done.
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
  /** A migration of another tool is under way, or was interrupted half way. */
  | 'dirty'
  /** Than the files. */
  | 'newer'
  /** Made by migration files that others have replaced (replaced-files.ts). */
  | 'replaced'
  /** There is no file of its version. */
  | 'unknown';

export interface MigrationStatus {
  readonly state: SchemaState;
  /** `null`: no migration has run. */
  readonly current: number | null;
  /** The newest version among the files. */
  readonly latest: number;
  /** A migration of another tool was interrupted half way. */
  readonly dirty: boolean;
  /** Names of the migrations that are still to run, in order. */
  readonly pending: readonly string[];
}

/** A migration may take as long as it takes. */
const noTimeout = 0;

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
 * Takes back the last `steps` migrations, with what they made, data included.
 * @returns how many were taken back. Throws as migrateUp does.
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

/** Changes nothing. Rejects when the database does not answer. */
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
  /** There are tables of this service. */
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
 * @returns what to do about a schema on which no migration may run. A dirty one is awaited: the other
 *   tool sets the mark before it begins, so it may be at work. So is one of replaced files: a statement
 *   is all that it needs.
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
  // What the replaced files have made, the present ones do not make once more.
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
