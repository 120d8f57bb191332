/** Compares the connections that this host may open with the server's limits. */

import type { DatabaseConfig } from '../config/config.ts';
import type { ConnectionBudget } from '../config/connection-budget.ts';
import type { Logger } from '../telemetry/log.ts';
import { withSession } from './session.ts';

interface Limits {
  /** The server's setting `max_connections`. */
  readonly max_connections: number;
  /** The smallest of the limits for ordinary roles, for this role and for this database. */
  readonly available: number;
  /** Connections of all clients at the moment. */
  readonly in_use: number;
}

const timeoutMs = 5000;
const text = `
  WITH limits AS (
    SELECT current_setting('max_connections')::integer AS max_connections,
      CASE WHEN rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true)::integer, 0) END AS reserved,
      nullif(rolconnlimit, -1) AS of_role, nullif(datconnlimit, -1) AS of_database
    FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
  )
  SELECT max_connections, least(max_connections - reserved, of_role, of_database) AS available,
    (SELECT count(*)::integer FROM pg_stat_activity WHERE usesysid IS NOT NULL) AS in_use
  FROM limits`;

/** Logs the budget and the limits once. When the server does not answer, only the budget. */
export async function tellConnections(
  database: DatabaseConfig,
  { wanted, frontEnds, workerThreads, most }: ConnectionBudget,
  log: Logger,
): Promise<void> {
  if (frontEnds < wanted.frontEnds || workerThreads < wanted.workerThreads) {
    log.warn('DB_CONNECTIONS is too low for all front ends and worker threads', {
      connections: wanted.connections,
      frontEnds: `${frontEnds} of ${wanted.frontEnds}`,
      workerThreads: `${workerThreads} of ${wanted.workerThreads}`,
    });
  }
  const limits = await withSession(database, timeoutMs, async (sql) => {
    const [row] = await sql.unsafe<Limits[]>(text);
    return row;
  }).catch(() => undefined);
  const fields = { most, connections: wanted.connections, ...fieldsOf(limits) };
  if (limits === undefined || most <= limits.available) {
    log.info('connections to PostgreSQL', fields);
  } else {
    log.warn(
      'the server has too few connections: lower DB_CONNECTIONS, or raise its limit',
      fields,
    );
  }
}

function fieldsOf(limits: Limits | undefined): Readonly<Record<string, number>> {
  if (limits === undefined) return {};
  const { max_connections: serverMax, available, in_use: inUse } = limits;
  return { serverMax, available, inUse };
}
