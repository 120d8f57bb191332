/**
 * The settings that the statements of this service need, whatever the defaults of server, database
 * and role. They are not start-up parameters: poolers refuse or silently drop unknown ones.
 */

export interface SessionNeeds {
  /** The server cancels a statement after this long; 0: never. */
  readonly statementTimeoutMs: number;
  /** Settings beyond those of every session. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

type Settings = Readonly<Record<string, string>>;

const longestTimeoutMs = 2 ** 31 - 1;
const idleInTransactionTimeoutMs = 60_000;

/** Settings for one transaction, made by its first statement. */
export function transactionSettings({ statementTimeoutMs, settings }: SessionNeeds): Settings {
  // The driver omits a zero, and then a default of the role would apply.
  const timeoutMs = statementTimeoutMs || longestTimeoutMs;
  return {
    statement_timeout: String(timeoutMs),
    // Less than the statement timeout, which would otherwise end the wait first.
    lock_timeout: String(Math.ceil(timeoutMs / 2)),
    // The executor parses this format: `2025-12-05 12:00:00.12+00`.
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    // Compiling a plan takes longer than any statement of this service.
    jit: 'off',
    ...settings,
  };
}

/** Settings for a session that no other client shares. */
export function sessionSettings(needs: SessionNeeds): Settings {
  return {
    idle_in_transaction_session_timeout: String(idleInTransactionTimeoutMs),
    // Connections wait for requests. If the server closed one just as a write was sent, the outcome
    // would be unknown.
    idle_session_timeout: '0',
    // A role may have another default; the statements need READ COMMITTED.
    default_transaction_isolation: 'read committed',
    // Migrations contain Unicode escapes, which need it.
    standard_conforming_strings: 'on',
    ...transactionSettings(needs),
  };
}

/** @param until the scope: settings of a transaction end with it. */
export function settingsText(settings: Settings, until: 'transaction' | 'session'): string {
  const isLocal = until === 'transaction';
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${literal(name)}, ${literal(value)}, ${isLocal})`,
  );
  return `SELECT ${calls.join(', ')}`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
