/** Reads the configuration and becomes the primary, or one of the front ends it forked. */
import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { crowdingOf } from './config/crowding.ts';
import { loadConfig } from './config.ts';
import { becomeFrontEnd } from './frontend-process.ts';
import { runPrimary } from './primary.ts';
import { createLogger } from './telemetry/log.ts';
import { exitOnUncaught } from './telemetry/uncaught.ts';

// A process or thread that has become idle would collect its whole heap three times to give back a few
// MiB, with several threads for some 20 ms each, on cores that requests need (perf/README.md).
setFlagsFromString('--no-memory-reducer');

if (cluster.isWorker) {
  becomeFrontEnd();
} else {
  const result = loadConfig('service');
  const { secrets, lookAlikes } = result;
  const level = result.ok ? result.config.logLevel : 'warn';
  const log = createLogger({ level, role: 'primary', secrets });
  exitOnUncaught(log, 'a bug ended the primary', 1);
  if (lookAlikes.length > 0) log.warn('variables that are not known', { names: lookAlikes });
  if (result.ok) {
    const { frontEnds, batching } = result.config;
    const { workerThreads } = batching;
    const crowding = crowdingOf({ frontEnds, workerThreads }, availableParallelism());
    if (crowding !== undefined) {
      log.warn('more processes or threads than cores, each takes memory and connections', {
        reason: crowding,
      });
    }
    await runPrimary({ config: result.config, secrets, log });
  } else {
    log.error('the configuration is not valid', { faults: result.faults });
    process.exitCode = 1;
  }
}
