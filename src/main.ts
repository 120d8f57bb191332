/** Reads the configuration and becomes the primary, or one of the front ends it forked. */
import cluster from 'node:cluster';
import { setFlagsFromString } from 'node:v8';
import { loadConfig } from './config.ts';
import { becomeFrontEnd } from './frontend-process.ts';
import { runPrimary } from './primary.ts';
import { createLogger } from './telemetry/log.ts';

// A process or thread that has become idle would collect its whole heap three times to give back a few
// MiB, with several threads for some 20 ms each, on cores that requests need (perf/README.md).
setFlagsFromString('--no-memory-reducer');

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
