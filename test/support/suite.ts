/** The common setup of end-to-end tests: a database, a service on it, a client. */
import { after, before } from 'node:test';
import { type Api, createApi } from './api.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { type Service, startService } from './service.ts';

export interface Suite {
  readonly api: Api;
  readonly service: Service;
  readonly database: TestDatabase;
}

export interface SuiteOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Runs when the service listens, before the first test. */
  readonly prepare?: (suite: Suite) => Promise<void>;
}

/** Call at the top of a file; the result is filled before the first test runs. */
export function useService(name: string, { env = {}, prepare }: SuiteOptions = {}): Suite {
  const suite = {} as { -readonly [Part in keyof Suite]: Suite[Part] };
  before(async () => {
    suite.database = await createTestDatabase(name);
    suite.service = await startService({ database: suite.database.config, env });
    suite.api = createApi(suite.service.port);
    await prepare?.(suite);
  });
  after(async () => {
    suite.api?.close();
    await suite.service?.stop();
    await suite.database?.drop();
  });
  return suite;
}
