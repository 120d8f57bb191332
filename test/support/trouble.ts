/** Real trouble behind the service. */
import type { TestDatabase } from './postgres.ts';

/** Runs while a lock blocks all writes inside PostgreSQL. */
export async function whileWritesWait(
  { sql }: TestDatabase,
  run: () => Promise<void>,
): Promise<void> {
  await sql`SELECT 1`;
  const holder = await sql.reserve();
  await holder`BEGIN`;
  await holder`LOCK TABLE tasks_state IN ACCESS EXCLUSIVE MODE`;
  try {
    await run();
  } finally {
    await holder`ROLLBACK`;
    holder.release();
  }
}

/** The number of creates that wait for a lock. */
export async function waitingWriters({ sql }: TestDatabase): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    SELECT count(*) AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
      AND application_name LIKE '%create'`;
  return Number(row!.count);
}

/** Ends the sessions of creates. */
export async function endWriters({ sql }: TestDatabase): Promise<void> {
  await sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE '%create'`;
}
