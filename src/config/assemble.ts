/** Makes the configuration of the variables' values, and checks the rules that concern several variables. */
import { bindOf } from './bind-address.ts';
import type { Config, DatabaseConfig, Purpose } from './config.ts';
import { divideConnections } from './connection-budget.ts';
import { absolute, checkCredentials, checkEmbedded, hasDefaultCredentials } from './faults.ts';
import type { Given } from './given.ts';
import { headerNamesOf } from './header-names.ts';
import { originsOf } from './origins.ts';
import { checkPooler, directOf, pooledAs } from './pooler.ts';
import { redisOf } from './redis.ts';
import { rootCert } from './root-cert.ts';
import { productionDelayMs, type Variables } from './variables.ts';

/** @param misspelt names that may have been meant for the database. */
export function assemble(
  values: Variables,
  given: Given,
  purpose: Purpose,
  faults: string[],
  misspelt: readonly string[],
): Config | undefined {
  if (purpose === 'service' && values.ENV === 'production') checkCredentials(values, faults);
  const bind = bindOf(values.BIND_ADDRESS, values.ENV === 'production', faults);
  const corsOrigins = originsOf(values.CORS_ORIGINS, faults);
  const corsHeaders = headerNamesOf(values.CORS_HEADERS, faults);
  checkEmbedded(values, given, purpose, faults, misspelt);
  const database = databaseOf(
    {
      host: values.DB_HOST,
      port: values.DB_PORT,
      user: values.DB_USER,
      password: values.DB_PASSWORD,
      name: values.DB_NAME,
      sslMode: values.DB_SSLMODE,
      ...(given.isGiven('DATABASE_URL') ? { source: 'DATABASE_URL' } : {}),
    },
    given.describe('DB_SSLMODE'),
    values.DB_SSLROOTCERT,
    faults,
  );
  checkPooler(values, faults);
  const redis = redisOf(values, given, faults);
  const testDatabase = databaseOf(
    {
      host: values.TEST_DB_HOST,
      port: values.TEST_DB_PORT,
      user: values.TEST_DB_USER,
      password: values.TEST_DB_PASSWORD,
      name: values.TEST_DB_NAME,
      sslMode: values.TEST_DB_SSLMODE,
      source: given.isGiven('TEST_DATABASE_URL') ? 'TEST_DATABASE_URL' : 'TEST_DB',
    },
    given.describe('TEST_DB_SSLMODE'),
    given.testRootCert ?? values.DB_SSLROOTCERT,
    faults,
  );
  const dataDir = absolute(values.DATA_DIR, faults);
  if (faults.length > 0) return undefined;

  const connections = divideConnections({
    connections: values.DB_CONNECTIONS,
    frontEnds: values.FRONTENDS,
    workerThreads: values.WORKER_THREADS,
  });
  return {
    env: values.ENV === 'local' ? 'development' : values.ENV,
    port: values.PORT,
    bind,
    hostBasePath: values.HOST_BASE_PATH,
    logLevel: values.LOGGER_LEVEL,
    metrics: {
      path: values.METRICS_PATH,
      username: values.METRICS_USERNAME,
      password: values.METRICS_PASSWORD,
      port: values.METRICS_PORT,
      isEnabled: values.METRICS_ENABLED,
    },
    database: pooledAs(values.DB_POOLER, database),
    directDatabase: directOf(database, values),
    testDatabase,
    testDatabaseName: values.TEST_DB_NAME,
    autoMigrate: database === null || (values.DB_AUTO_MIGRATE ?? values.ENV !== 'production'),
    dataDir,
    redis,
    cacheBytesMax: values.CACHE_MAX_BYTES,
    pprofEnabled: values.PPROF_ENABLED ?? values.ENV !== 'production',
    profilesOpenLocally: values.ENV !== 'production' && hasDefaultCredentials(values),
    slowRequestMs: values.SLOW_REQUEST_MS,
    serverTiming: values.SERVER_TIMING,
    uwsBuild: values.UWS_BUILD,
    corsOrigins,
    corsHeaders,
    frontEnds: connections.frontEnds,
    connections,
    connectionIdleMs: values.DB_IDLE_SECONDS * 1000,
    batching: {
      offloadMinBatch: values.OFFLOAD_MIN_BATCH,
      batchMax: values.BATCH_MAX,
      queueMax: values.QUEUE_MAX,
      queueWaitMaxMs: values.QUEUE_WAIT_MAX_MS,
      requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
      workerThreads: connections.workerThreads,
    },
    shutdownDelayMs:
      values.SHUTDOWN_DELAY_MS ?? (values.ENV === 'production' ? productionDelayMs : 0),
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
  };
}

function databaseOf(
  given: Omit<DatabaseConfig, 'sslRootCert'>,
  modeName: string,
  sslRootCert: string,
  faults: string[],
): DatabaseConfig | null {
  if (given.host === '') return null;
  return { ...given, sslRootCert: rootCert(given.sslMode, modeName, sslRootCert, faults) };
}
