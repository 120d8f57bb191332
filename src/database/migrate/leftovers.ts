/**
 * What `migrate drop` of the tool `migrate/migrate` leaves behind: it drops every table of the schema,
 * its own too (database/postgres/postgres.go, Drop), and no function. Tables and triggers are gone then, and
 * the functions that our first migration makes are already there.
 */
import type { Migration } from './migrations.ts';

const made = /CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+(tasks_\w+)\s*\(/gi;

/** @returns a statement that drops functions of ours, where no table of ours is there any more. */
export function dropLeftovers(migrations: readonly Migration[]): string {
  const names = new Set(
    migrations.flatMap(({ up }) => [...up.matchAll(made)].map((one) => one[1]!)),
  );
  return `
    DO $$
    DECLARE
      leftover regprocedure;
    BEGIN
      IF to_regclass('tasks') IS NULL AND to_regclass('tasks_state') IS NULL THEN
        FOR leftover IN
          SELECT oid FROM pg_proc
          WHERE pronamespace = to_regnamespace(quote_ident(current_schema()))
            AND proname = ANY ('{${[...names].join(',')}}')
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
        LOOP
          EXECUTE format('DROP FUNCTION %s', leftover);
        END LOOP;
      END IF;
    END $$;
    `;
}
