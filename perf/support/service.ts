/** Starts this service as a user does, on the measurement's database. */
import { randomBytes } from 'node:crypto';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { serviceProgram } from './paths.ts';
import { freePort, type RunningServer, startServer } from './server.ts';

export interface ServiceProgram {
  /** Default: the current build. */
  readonly program?: string;
  /** The path of its Node; default: that of this process. */
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
      // There is no load balancer here.
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
