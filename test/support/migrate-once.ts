/** A process that migrates the database given as JSON, and prints how many migrations it ran. */
import type { DatabaseConfig } from '../../src/config/config.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { silentLog } from './postgres.ts';

const [database, directory] = process.argv.slice(2);
const ran = await migrateUp(
  JSON.parse(database!) as DatabaseConfig,
  silentLog,
  new URL(directory!),
);
process.stdout.write(String(ran));
