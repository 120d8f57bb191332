/** Reads the configuration and becomes the primary, or one of the front ends it forked. */
import cluster from 'node:cluster';
import { loadConfig } from './config.ts';
import { becomeFrontEnd } from './frontend-process.ts';
import { runPrimary } from './primary.ts';
import { createLogger } from './telemetry/log.ts';

if (cluster.isWorker) {
  becomeFrontEnd();
} else {
  const result = loadConfig('service');
  if (result.ok) {
    const log = createLogger({ level: result.config.logLevel, role: 'primary' });
    await runPrimary(result.config, log);
  } else {
    const log = createLogger({ level: 'error', role: 'primary' });
    log.error('the configuration is not valid', { faults: result.faults });
    process.exitCode = 1;
  }
}
