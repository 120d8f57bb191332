/** Our own service as a user starts it, on the measurement's database. */
import { randomBytes } from 'node:crypto';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { serviceProgram } from './paths.ts';
import { freePort, type RunningServer, startServer } from './server.ts';

export interface ServiceProgram {
  /** Of this state of the code where nothing is given. */
  readonly program?: string;
  /** Path of the Node that runs it: the one of this process where nothing is given. */
  readonly runtime?: string;
}

export async function startService(
  database: DatabaseConfig,
  directory: string,
  settings: Readonly<Record<string, string>> = {},
  { program = serviceProgram, runtime }: ServiceProgram = {},
): Promise<RunningServer> {
  return startServer({
    name: 'the service',
    program,
    ...(runtime === undefined ? {} : { runtime }),
    directory,
    environment: {
      ENV: 'production',
      LOGGER_LEVEL: 'info',
      METRICS_PORT: String(await freePort()),
      METRICS_USERNAME: 'measurements',
      METRICS_PASSWORD: randomBytes(16).toString('hex'),
      // Nobody balances load here.
      SHUTDOWN_DELAY_MS: '0',
      DB_HOST: database.host,
      DB_PORT: String(database.port),
      DB_USER: database.user,
      DB_NAME: database.name,
      DB_SSLMODE: database.sslMode,
      ...settings,
    },
  });
}
