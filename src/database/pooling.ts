/**
 * Detects what is between the service and its database before anything is written: nothing, a
 * session pooler, or a transaction pooler. Rejects a pooler that cannot work, and names the
 * variable. Leaves nothing on the server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseConfig } from '../config/config.ts';
import { type Client, createClient } from './client.ts';
import { innermostCode, placeOf } from './failure-reason.ts';
import { openPipeline } from './pipeline/pipeline.ts';
import { statementName } from './pipeline/statement-name.ts';
import { withPlace } from './session.ts';

/** A pooler without a free session may keep a client waiting without limit. */
const timeoutMs = 5000;
const databaseMissing = '3D000';
/** Two connections are probed in random order. The chance of a false result is 1 in 4096. */
const looks = 12;
const wantedIsolation = 'read committed';
const applicationName = 'tasks administration';

/**
 * @param direct another connection to the same server, or `served` itself.
 * @returns false when the database does not exist yet, so nothing is known.
 * @throws an Error that names the variable to change or the version needed. An Error with a code
 * when the database is down.
 */
export async function assertPooling(
  served: DatabaseConfig,
  direct: DatabaseConfig,
): Promise<boolean> {
  const asker = openAsker(served);
  try {
    const first = await asker.ask();
    await assertSameServer(served, direct, first.server);
    const isPooled = first.pid !== first.key;
    if (served.pooler === undefined) {
      if (isPooled && !(await keepsSessions(served, asker))) refuse(served, withoutVariable);
      return true;
    }
    if (first.isolation !== wantedIsolation) refuse(served, otherIsolation(first));
    if (isPooled && (await handsNamesThrough(served)) && !(await keepsSessions(served, asker))) {
      refuse(served, tooOld);
    }
    return true;
  } catch (error) {
    if (innermostCode(error) === databaseMissing) return false;
    throw error;
  } finally {
    await asker.close();
  }
}

const withoutVariable =
  'is a pooler that lends another session to each transaction: set DB_POOLER=transaction ' +
  '(PgBouncer 1.21 or newer with max_prepared_statements above 0), or have it pool sessions';
const tooOld =
  'is a pooler that does not keep track of prepared statements: DB_POOLER=transaction needs ' +
  'PgBouncer 1.21 or newer with max_prepared_statements above 0';

function otherIsolation({ isolation, role }: Answer): string {
  return (
    `has default_transaction_isolation = '${isolation}', which no statement can change behind a ` +
    `pooler: ALTER ROLE "${role}" SET default_transaction_isolation = '${wantedIsolation}'`
  );
}

function refuse(database: DatabaseConfig, what: string): never {
  throw new Error(`PostgreSQL at ${placeOf(database)} ${what}`);
}

interface Answer {
  /** The process id of the server's backend. */
  readonly pid: number;
  /** The process id that the connection was given at its start; a pooler invents one. */
  readonly key: number | null;
  readonly isolation: string;
  readonly role: string;
  /** Identifies the server and the database. */
  readonly server: string;
}

interface Asker {
  ask(): Promise<Answer>;
  close(): Promise<void>;
}

/** PgBouncer's message. This service sends only application_name and client_encoding. */
const unsupported = /^unsupported startup parameter/;

const askText = `
  SELECT pg_backend_pid() AS pid, current_setting('default_transaction_isolation') AS isolation,
    current_user AS role, concat(extract(epoch FROM pg_postmaster_start_time()), ' ',
      (SELECT oid FROM pg_database WHERE datname = current_database())) AS server`;

/** One connection that sends no settings and leaves nothing behind. */
function openAsker(database: DatabaseConfig): Asker {
  const sql: Client = createClient(database, {
    max: 1,
    applicationName,
    statementTimeoutMs: timeoutMs,
    isPlain: true,
    onClose: () => undefined,
  });

  async function ask(): Promise<Answer> {
    const result = await inTime(sql.unsafe<Omit<Answer, 'key'>[]>(askText)).catch(
      (error: unknown) => {
        // PgBouncer refuses it for ever, so waiting for the database would not help.
        if (error instanceof Error && unsupported.test(error.message)) {
          refuse(database, `refuses connections: ${error.message}`);
        }
        throw withPlace(database, error);
      },
    );
    return { ...result[0]!, key: result.state.pid ?? null };
  }

  return { ask, close: () => sql.end({ timeout: 0 }) };
}

async function assertSameServer(
  served: DatabaseConfig,
  direct: DatabaseConfig,
  server: string,
): Promise<void> {
  if (served.host === direct.host && served.port === direct.port) return;
  const asker = openAsker(direct);
  try {
    if ((await asker.ask()).server !== server) {
      throw new Error('DB_DIRECT_HOST leads to another server or database than DB_HOST');
    }
  } finally {
    await asker.close();
  }
}

/** Whether each of two connections always meets the same backend, and never the other's. */
async function keepsSessions(database: DatabaseConfig, one: Asker): Promise<boolean> {
  const other = openAsker(database);
  try {
    const met = new Map<Asker, number>();
    for (let look = 0; look < looks; look++) {
      // Twice each, then at random: a pooler may alternate between backends.
      const asker = (look < 4 ? look < 2 : Math.random() < 0.5) ? one : other;
      const { pid } = await asker.ask();
      const before = met.get(asker);
      if (before === undefined && [...met.values()].includes(pid)) return false;
      if (before !== undefined && before !== pid) return false;
      met.set(asker, pid);
    }
    return true;
  } finally {
    await other.close();
  }
}

const probeText = 'SELECT 1 AS tasks_pooling_probe';
const probe = statementName(probeText);
const findProbe = 'SELECT FROM pg_prepared_statements WHERE name = $1';
const forgetProbe = `
  DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_prepared_statements WHERE name = '${probe}') THEN
      DEALLOCATE "${probe}";
    END IF;
  END $$`;

/** A pooler that tracks prepared statements gives them other names on the server. */
async function handsNamesThrough(database: DatabaseConfig): Promise<boolean> {
  const pipeline = openPipeline(database, {
    applicationName,
    statementTimeoutMs: timeoutMs,
    prelude: null,
    onClose: () => undefined,
  });
  try {
    const [, found] = await inTime(
      pipeline.together([
        { text: probeText, parameters: [] },
        { text: findProbe, parameters: [probe], isKept: false },
        { text: forgetProbe, parameters: [], isKept: false },
      ]),
    );
    return found!.length > 0;
  } finally {
    pipeline.destroy();
  }
}

/** Rejects with a code that isAway accepts, so that a caller waiting for the database retries. */
async function inTime<Result>(result: Promise<Result>): Promise<Result> {
  const settled = new AbortController();
  try {
    return await Promise.race([result, late(settled.signal)]);
  } finally {
    settled.abort();
  }
}

async function late(signal: AbortSignal): Promise<never> {
  await sleep(timeoutMs, undefined, { signal }).catch(() => undefined);
  throw Object.assign(new Error('neither it nor a pooler in front of it has a session for us'), {
    code: 'CONNECT_TIMEOUT',
  });
}
