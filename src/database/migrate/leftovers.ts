/**
 * Handles what `migrate drop` of the tool `migrate/migrate` leaves behind: it drops every table but
 * no function (database/postgres/postgres.go, Drop). The functions that the first migration creates
 * then exist already.
 */
import type { Migration } from './migrations.ts';

const made = /CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+(tasks_\w+)\s*\(/gi;

/** @returns a statement that drops this service's functions when its tables are missing. */
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
