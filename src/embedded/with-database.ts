/** Provides the configured database, or an embedded one for the duration of a call. */
import type { DatabaseConfig } from '../config/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { startEmbedded } from './embedded.ts';

export interface DatabaseChoice {
  /** `null`: the embedded server in `dataDir`. */
  readonly database: DatabaseConfig | null;
  readonly dataDir: string;
  /** The database on the embedded server; default: `tasks`. */
  readonly embeddedName?: string | undefined;
}

/**
 * Starts an embedded server for `use` if none is running, and stops it afterwards. Settles as `use`
 * does.
 */
export async function withDatabase(
  { database, dataDir, embeddedName }: DatabaseChoice,
  log: Logger,
  use: (database: DatabaseConfig) => Promise<void>,
): Promise<void> {
  if (database !== null) return use(database);
  const embedded = await startEmbedded({ dataDir, log, databaseName: embeddedName });
  try {
    await use(embedded.config);
  } finally {
    await embedded.stop();
  }
}
