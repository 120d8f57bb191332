/** One connection for a few statements outside of the request path. */
import type { DatabaseConfig } from '../config.ts';
import { type Client, createClient } from './client.ts';
import { sessionSettings, settingsText } from './session-settings.ts';
import { isUnixSocket } from './socket.ts';

/**
 * Where a pooler hands sessions around, a statement has the server's defaults.
 * @param statementTimeoutMs 0: never.
 * @throws what `use` throws; an Error that says where and why, when the server is out of reach.
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
    // Another connection would not have the settings.
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
 * The server's own errors have a severity besides the code, those of a pooler in its language alone; the
 * driver's and Node's have none.
 */
export function isServerError(error: unknown): error is { code: string; message: string } {
  return error instanceof Error && ('severity' in error || 'severity_local' in error);
}

/** @returns an Error that says where, when it is not the server's own. */
export function withPlace(database: DatabaseConfig, error: unknown): unknown {
  return isDriverError(error) ? outOfReach(database, error) : error;
}

interface DriverError {
  readonly code: string;
  readonly message: string;
  /** One for each address of a name, and then there is no message. */
  readonly errors?: readonly Error[];
}

function isDriverError(error: unknown): error is DriverError {
  return error instanceof Error && 'code' in error && !isServerError(error);
}

function outOfReach(database: DatabaseConfig, error: DriverError): Error {
  const { host, port, sslMode } = database;
  const place = isUnixSocket(host) ? host : `${host}:${port}`;
  const reason = error.message || (error.errors ?? []).map(({ message }) => message).join(', ');
  // A server without TLS says so in a byte that the driver does not report.
  const hint =
    error.code === 'ECONNRESET' && sslMode !== 'disable'
      ? ` (with sslmode ${sslMode}; does the server offer TLS?)`
      : '';
  return new Error(`PostgreSQL at ${place} is out of reach: ${reason || error.code}${hint}`, {
    cause: error,
  });
}
