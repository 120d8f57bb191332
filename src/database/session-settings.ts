/**
 * What the statements of this service need of a session, whatever the defaults of server, database and
 * role. No start-up parameters: poolers refuse those that they do not know, or drop them in silence.
 */

export interface SessionNeeds {
  /** The server cancels a statement after this long; 0: never. */
  readonly statementTimeoutMs: number;
  /** Settings beyond those that every connection has. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

type Settings = Readonly<Record<string, string>>;

const longestTimeoutMs = 2 ** 31 - 1;
const idleInTransactionTimeoutMs = 60_000;

/** Those that can be made for one transaction, by its first statement. */
export function transactionSettings({ statementTimeoutMs, settings }: SessionNeeds): Settings {
  // The driver leaves a zero out, and a default of the role would count instead.
  const timeoutMs = statementTimeoutMs || longestTimeoutMs;
  return {
    statement_timeout: String(timeoutMs),
    // Less than the statement's, or it would never be the one that ends the wait.
    lock_timeout: String(Math.ceil(timeoutMs / 2)),
    // The executor relies on both: `2025-12-05 12:00:00.12+00`.
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    // Compiling a plan takes longer than any statement of ours should.
    jit: 'off',
    ...settings,
  };
}

/** Those of a session that is ours from its beginning to its end. */
export function sessionSettings(needs: SessionNeeds): Settings {
  return {
    idle_in_transaction_session_timeout: String(idleInTransactionTimeoutMs),
    // Our connections wait for requests. Of a write that comes just as one ends nobody would know the outcome.
    idle_session_timeout: '0',
    // A role may have another default; the statements are written for this one.
    default_transaction_isolation: 'read committed',
    // Migrations have texts with Unicode escapes, which take no other way to read a backslash.
    standard_conforming_strings: 'on',
    ...transactionSettings(needs),
  };
}

/** @param until when they hold: a transaction leaves its session as it found it. */
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
