/** Reads the configuration and runs the primary, or reports the faults of the configuration. */
import { availableParallelism } from 'node:os';
import { crowdingOf } from '../config/crowding.ts';
import { loadConfig } from '../config/load.ts';
import { createLogger } from '../telemetry/log.ts';
import { exitOnUncaught } from '../telemetry/uncaught.ts';
import { runPrimary } from './primary.ts';

/** Resolves when everything runs. Sets the exit code if it cannot. */
export async function becomePrimary(): Promise<void> {
  const result = loadConfig('service');
  const { secrets, lookAlikes } = result;
  const level = result.ok ? result.config.logLevel : 'warn';
  const log = createLogger({ level, role: 'primary', secrets });
  exitOnUncaught(log, 'a bug ended the primary', 1);
  if (lookAlikes.length > 0) log.warn('variables that are not known', { names: lookAlikes });
  if (result.ok) {
    const crowding = crowdingOf(result.config.connections.wanted, availableParallelism());
    if (crowding !== undefined) {
      log.warn('more processes or threads than cores, each takes memory', { reason: crowding });
    }
    await runPrimary({ config: result.config, secrets, log });
  } else {
    log.error('the configuration is not valid', { faults: result.faults });
    process.exitCode = 1;
  }
}
