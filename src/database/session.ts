/** Opens one connection for a few statements outside the request path. */
import type { DatabaseConfig } from '../config/config.ts';
import { type Client, createClient } from './client.ts';
import { failureReason, placeOf } from './failure-reason.ts';
import { sessionSettings, settingsText } from './session-settings.ts';

/**
 * Behind a transaction pooler, statements run with the server's default settings.
 * @param statementTimeoutMs 0: never.
 * @throws what `use` throws; an Error that says where and why, when the server cannot be reached or
 * refuses the connection.
 */
export async function withSession<Result>(
  database: DatabaseConfig,
  statementTimeoutMs: number,
  use: (sql: Client) => Promise<Result>,
): Promise<Result> {
  const sql = createClient(database, {
    max: 1,
    applicationName: 'tasks administration',
    statementTimeoutMs,
    isPlain: true,
    // A second connection would lack the settings.
    onClose: () => undefined,
  });
  try {
    if (database.pooler === undefined) {
      await sql.unsafe(settingsText(sessionSettings({ statementTimeoutMs }), 'session'));
    }
    return await use(sql);
  } catch (error) {
    throw withPlace(database, error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * A server's error has a severity besides the code; a pooler's error has it only as
 * `severity_local`; errors of the driver and of Node have none.
 */
export function isServerError(error: unknown): error is { code: string; message: string } {
  return error instanceof Error && ('severity' in error || 'severity_local' in error);
}

/**
 * @returns an Error that names the server and the reason, if the connection failed and not a
 * statement.
 */
export function withPlace(database: DatabaseConfig, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (isServerError(error) && !hasEndedConnection(error)) return error;
  const verdict = isServerError(error) ? 'refuses the connection' : 'is out of reach';
  return new Error(
    `PostgreSQL at ${placeOf(database)} ${verdict}: ${failureReason(database, error)}`,
    { cause: error },
  );
}

function hasEndedConnection(error: object): boolean {
  const { severity, severity_local: local } = error as Readonly<Record<string, unknown>>;
  return ['FATAL', 'PANIC'].includes(String(severity ?? local));
}
