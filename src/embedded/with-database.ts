/** The configured database, or the embedded one for as long as it is needed. */
import type { DatabaseConfig } from '../config/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { startEmbedded } from './embedded.ts';

export interface DatabaseChoice {
  /** `null`: the embedded server in `dataDir`. */
  readonly database: DatabaseConfig | null;
  readonly dataDir: string;
  /** What the database of the embedded server is called; otherwise `tasks`. */
  readonly embeddedName?: string | undefined;
}

/** An embedded server that is not running is started for `use` alone. Rejects as `use` does. */
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
