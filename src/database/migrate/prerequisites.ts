/** Explains which privileges and extensions a migration needs from an administrator. */

import { messageOf } from '../../base/error-message.ts';
import type { DatabaseConfig } from '../../config/config.ts';
import type { Client } from '../client.ts';
import { innermost, innermostCode, placeOf, quoted } from '../failure-reason.ts';
import { awaitedError } from './awaited.ts';

/** SQLSTATEs of a missing privilege, extension or operator class, and of a missing schema. */
const signs: readonly string[] = ['42501', '0A000', '42704', '3F000'];

/**
 * Asks the server for everything that is missing, so that an administrator can add it at once.
 * @param error why a migration failed.
 * @returns an awaited Error with the statements to run; otherwise `error` itself.
 */
export async function explainMissing(
  sql: Client,
  database: DatabaseConfig,
  error: unknown,
): Promise<unknown> {
  const code = innermostCode(error);
  if (code === undefined || !signs.includes(code)) return error;
  const found = await findState(sql);
  const toDo = [...schemaToDo(found), ...extensionToDo(found, code), ...ownerToDo(found)];
  if (toDo.length > 0) {
    return awaitedError(
      `the role "${found.role}" cannot migrate the database "${found.database}" at ` +
        `${placeOf(database)} yet: have an administrator, connected to that database, ` +
        `${toDo.join('; ')}; the migration goes on from there`,
      error,
    );
  }
  return code === '42501' ? awaitedError(messageOf(error), innermost(error)) : error;
}

interface State {
  readonly role: string;
  readonly database: string;
  /** The schema for the tables; `null`: the search path has none that the role may use. */
  readonly schema: string | null;
  readonly mayCreate: boolean | null;
  /** The schema of pg_trgm; `null`: the database lacks the extension. */
  readonly extensionSchema: string | null;
  readonly mayUseExtension: boolean | null;
  readonly isAvailable: boolean;
  readonly mayExtend: boolean;
  /** The owner of the tables, if it is another role. */
  readonly owner: string | null;
}

async function findState(sql: Client): Promise<State> {
  const [state] = await sql<State[]>`
    SELECT current_user AS role, current_database() AS database, current_schema() AS schema,
      has_schema_privilege(current_schema(), 'CREATE') AS "mayCreate",
      nspname AS "extensionSchema",
      has_schema_privilege(extnamespace, 'USAGE') AS "mayUseExtension",
      EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS "isAvailable",
      (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR has_database_privilege(current_database(), 'CREATE')
          AND EXISTS (
            SELECT FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND trusted
          ) AS "mayExtend",
      (SELECT rolname FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
        WHERE pg_class.oid = to_regclass('tasks') AND NOT pg_has_role(relowner, 'MEMBER')) AS owner
    FROM (VALUES (1)) AS one LEFT JOIN pg_extension ON extname = 'pg_trgm'
      LEFT JOIN pg_namespace ON pg_namespace.oid = extnamespace`;
  return state!;
}

function schemaToDo({ role, schema, mayCreate }: State): string[] {
  if (schema === null) return [`run GRANT USAGE, CREATE ON SCHEMA public TO ${quoted(role)}`];
  if (mayCreate === true) return [];
  return [`run GRANT CREATE ON SCHEMA ${quoted(schema)} TO ${quoted(role)}`];
}

function extensionToDo(found: State, code: string): string[] {
  const { role, extensionSchema, mayUseExtension, isAvailable, mayExtend, mayCreate } = found;
  if (extensionSchema !== null) {
    if (mayUseExtension === true) return [];
    return [`run GRANT USAGE ON SCHEMA ${quoted(extensionSchema)} TO ${quoted(role)}`];
  }
  if (!isAvailable) {
    return ['install the contrib modules of its PostgreSQL and run CREATE EXTENSION pg_trgm'];
  }
  // Managed servers have other rules for CREATE EXTENSION: only its refusal tells.
  const isRefused = code === '42501' && mayCreate === true;
  return mayExtend && !isRefused ? [] : ['run CREATE EXTENSION pg_trgm'];
}

function ownerToDo({ owner, role }: State): string[] {
  if (owner === null) return [];
  return [`run GRANT ${quoted(owner)} TO ${quoted(role)}, or migrate as ${quoted(owner)}`];
}
